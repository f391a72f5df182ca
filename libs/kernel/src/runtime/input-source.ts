import type { AnyEvent } from '@moon/events';

/** Recorded inputs in their one recorded order (rule 1), in batches; null after the last. */
export interface InputSource {
  nextBatch(): Promise<readonly AnyEvent[] | null>;
}

/** Looks one input ahead over a source's batches. */
export class InputCursor {
  private batch: readonly AnyEvent[] = [];
  private index = 0;
  private ended = false;

  constructor(private readonly source: InputSource) {}

  /** The next input without taking it; null at the end. */
  peek(): AnyEvent | null | Promise<AnyEvent | null> {
    return this.batch[this.index] ?? (this.ended ? null : this.load());
  }

  take(): void {
    this.index += 1;
  }

  /** Passes over inputs that the log already holds. */
  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) {
      if ((await this.peek()) === null) {
        throw new Error(
          `The recorded source has ${count - left} inputs, but the log already holds ${count}: it is not the source of this run.`,
        );
      }
      this.take();
    }
  }

  private async load(): Promise<AnyEvent | null> {
    for (;;) {
      const batch = await this.source.nextBatch();
      this.index = 0;
      this.batch = batch ?? [];
      if (batch === null) {
        this.ended = true;
        return null;
      }
      if (batch[0]) return batch[0];
    }
  }
}

/** A source over events that are in memory already. */
export function sourceOf(events: readonly AnyEvent[]): InputSource {
  let given = false;
  return {
    nextBatch: () => {
      const batch = given ? null : events;
      given = true;
      return Promise.resolve(batch);
    },
  };
}
