/** What stands where in the shared memory. */
const AT = { handler: 0, deliveries: 1, eventTime: 2, length: 3 } as const;

/** What a strategy has been doing without coming back. */
export interface HungStrategy {
  /** Position among the handlers of all strategies. */
  index: number;
  /** Time of the event that it does not come back from, ms. */
  eventTime: number;
}

/**
 * Says from inside a replay's thread which strategy is at work, so that a watchdog outside can name one that never
 * returns (rule 31). It reads no clock: the watchdog sees that the count of deliveries stands still.
 */
export class StrategyWatch {
  private readonly shared: Float64Array;
  /** Strategies at work in this thread, and how many signals each has emitted; not shared. */
  private readonly signals = new Map<string, number>();
  private seenAt = 0;
  private seenDeliveries = -1;

  /** @param memory of {@link StrategyWatch.memory}, the same on both sides */
  constructor(memory: SharedArrayBuffer) {
    this.shared = new Float64Array(memory);
  }

  static memory(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(AT.length * Float64Array.BYTES_PER_ELEMENT);
    new Float64Array(memory)[AT.handler] = -1;
    return memory;
  }

  /** Says that a strategy is at work. */
  expect(strategy: string): void {
    this.signals.set(strategy, 0);
  }

  /** Counts a signal of a strategy. */
  spoke(strategy: string): void {
    this.signals.set(strategy, (this.signals.get(strategy) ?? 0) + 1);
  }

  /** Strategies of this thread that have emitted no signal so far. */
  get silent(): string[] {
    return [...this.signals].flatMap(([strategy, count]) => (count === 0 ? [strategy] : []));
  }

  enter(index: number, eventTime: number): void {
    const { shared } = this;
    shared[AT.deliveries] = (shared[AT.deliveries] ?? 0) + 1;
    shared[AT.eventTime] = eventTime;
    shared[AT.handler] = index;
  }

  leave(): void {
    this.shared[AT.handler] = -1;
  }

  /**
   * To be called by the watchdog from time to time.
   *
   * @param now wall time, ms
   * @returns the strategy that has been busy with one event for longer than `timeoutMs`, as far as the calls can tell
   */
  hung(now: number, timeoutMs: number): HungStrategy | null {
    const [index = -1, deliveries = 0, eventTime = 0] = this.shared;
    if (index < 0 || deliveries !== this.seenDeliveries) {
      this.seenDeliveries = deliveries;
      this.seenAt = now;
      return null;
    }
    return now - this.seenAt > timeoutMs ? { index, eventTime } : null;
  }
}
