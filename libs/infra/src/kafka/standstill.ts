/** What it is told by: a partition with messages is to deliver some. */
interface Reading {
  readonly lag: number;
  /** Everything below this offset is handled. */
  readonly delivered: number;
}

/** Tells for how long partitions stand still, by looking now and then: nothing is noted where messages pass. */
export class Standstill {
  private readonly seen = new WeakMap<Reading, { delivered: number; since: number }>();

  /** @param now wall ms, monotonic @returns longest time, ms, for which one of them had messages and delivered none */
  look(readings: Iterable<Reading>, now: number): number {
    let longest = 0;
    for (const reading of readings) {
      const { lag, delivered } = reading;
      const before = this.seen.get(reading);
      if (lag === 0 || before?.delivered !== delivered) this.seen.set(reading, { delivered, since: now });
      else longest = Math.max(longest, now - before.since);
    }
    return longest;
  }
}
