import type { AnyEvent } from '@moon/events';
import type { InputSource } from '@moon/kernel';
import type { Range } from './plan';

/**
 * The inputs of a range. A bar is of the range in which its stamp lies, its opening: the one that closes at the very start
 * is of the time before, the one that closes at the very end is still of the range. What lies before the start is
 * warm-up (rule 7), or left out.
 */
export class RangedSource implements InputSource {
  private readonly from: number;
  private readonly to: number;

  constructor(
    private readonly source: InputSource,
    { from, to }: Range,
    private readonly warmsUp: boolean,
  ) {
    this.from = from ?? Number.NEGATIVE_INFINITY;
    this.to = to ?? Number.POSITIVE_INFINITY;
  }

  async nextBatch(): Promise<readonly AnyEvent[] | null> {
    for (;;) {
      const batch = await this.source.nextBatch();
      if (batch === null) return null;
      const inside = this.isWithin(batch) ? batch : batch.filter((event) => this.takes(event));
      if (inside.length > 0) return inside;
    }
  }

  /** Nearly every batch lies well inside. */
  private isWithin(batch: readonly AnyEvent[]): boolean {
    for (const event of batch) {
      if (event.occurredAt >= this.to || event.occurredAt <= this.from || startOf(event) < this.from) return false;
    }
    return true;
  }

  private takes(event: AnyEvent): boolean {
    if (startOf(event) >= this.to || event.occurredAt > this.to) return false;
    if (startOf(event) >= this.from) return true;
    if (event.headers?.warmup !== true) event.headers = { ...event.headers, warmup: true };
    return this.warmsUp;
  }
}

function startOf(event: AnyEvent): number {
  return event.type === 'bar.closed' ? event.data.openedAt : event.occurredAt;
}
