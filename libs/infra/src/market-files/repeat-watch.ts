import type { AnyEvent } from '@moon/events';

/**
 * Tells what was said before at the same instant, by another file that overlaps. A bar and a funding rate are facts of
 * which an instrument has one at a time; everything else is told by its id, which is made of its values (rule 3).
 */
export class RepeatWatch {
  private readonly ids = new Map<string, string>();
  private instant = 0;

  /** @returns 'conflict' when the same fact came with other values */
  look(event: AnyEvent): 'new' | 'repeat' | 'conflict' {
    if (event.occurredAt !== this.instant) {
      this.instant = event.occurredAt;
      this.ids.clear();
    }
    const key = keyOf(event);
    const earlier = this.ids.get(key);
    if (earlier === undefined) {
      this.ids.set(key, event.id);
      return 'new';
    }
    return earlier === event.id ? 'repeat' : 'conflict';
  }
}

function keyOf(event: AnyEvent): string {
  switch (event.type) {
    case 'bar.opened':
    case 'bar.closed':
      return `${event.type} ${event.data.instrument} ${event.data.intervalMs}`;
    case 'funding.update':
      return `${event.type} ${event.data.instrument}`;
    default:
      return event.id;
  }
}
