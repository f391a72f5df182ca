import type { AnyEvent } from '@moon/events';
import type { RecordedInput } from './recorded-input';

/**
 * Tells what was said before at the same instant, by another file that overlaps. A bar, a tick of a candle and a funding
 * rate are facts of which an instrument has one at a time; everything else is told by its id, which is made of its
 * values (rule 3).
 */
export class RepeatWatch {
  private readonly ids = new Map<string, string>();
  private instant = 0;

  /** @returns 'conflict' when the same fact came with other values */
  look(input: RecordedInput): 'new' | 'repeat' | 'conflict' {
    if (input.occurredAt !== this.instant) {
      this.instant = input.occurredAt;
      this.ids.clear();
    }
    const key = keyOf(input);
    const earlier = this.ids.get(key);
    if (earlier === undefined) {
      this.ids.set(key, input.id);
      return 'new';
    }
    return earlier === input.id ? 'repeat' : 'conflict';
  }
}

function keyOf(input: RecordedInput): string {
  const { type, data, id } = input as unknown as AnyEvent;
  switch (type) {
    case 'bar.opened':
    case 'bar.closed':
      return `${type} ${data.instrument} ${data.intervalMs}`;
    case 'funding.update':
      return `${type} ${data.instrument}`;
    case 'price.tick':
      return input.isOfCandle ? `${type} ${data.instrument} ${input.identity[0]}` : id;
    default:
      return id;
  }
}
