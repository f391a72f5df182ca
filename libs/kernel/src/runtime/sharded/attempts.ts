/** A shard that is this member's, and broke. */
export interface BrokenShard {
  shard: number;
  error: Error;
  /** Times that it broke without having been live for ten minutes in between. */
  attempts: number;
}

/**
 * Longest pauses between attempts, wall ms. One that breaks after it was opened has taken what is broadcast back to its own
 * position, for all shards of the process: it is tried less often.
 */
const LONGEST_PAUSE_MS = { unopened: 60_000, opened: 1_800_000 };
/** A shard that was live for so long has started anew with its attempts, wall ms. */
const FORGIVEN_MS = 600_000;

/** When shards that are not there are opened again, and how often each of them broke (ADR 0043). */
export class Attempts {
  private readonly breaks = new Map<number, BrokenShard>();
  /** Since when each shard is live, wall ms. */
  private readonly liveSince = new Map<number, number>();
  private readonly timers = new Map<number, NodeJS.Timeout>();

  constructor(private readonly open: (shard: number) => void) {}

  get broken(): readonly BrokenShard[] {
    return [...this.breaks.values()];
  }

  isWaiting(shard: number): boolean {
    return this.timers.has(shard);
  }

  later(shard: number, pauseMs: number): void {
    this.cancel(shard);
    const timer = setTimeout(() => {
      this.timers.delete(shard);
      this.open(shard);
    }, pauseMs);
    timer.unref();
    this.timers.set(shard, timer);
  }

  /** Notes a break, and arranges for the next attempt. @returns the pause before it, ms: twice that of the one before */
  afterBreak(shard: number, error: Error, firstMs: number, wasOpened: boolean): number {
    const since = this.liveSince.get(shard);
    this.liveSince.delete(shard);
    const isForgiven = since !== undefined && performance.now() - since > FORGIVEN_MS;
    const attempts = isForgiven ? 1 : (this.breaks.get(shard)?.attempts ?? 0) + 1;
    this.breaks.set(shard, { shard, error, attempts });
    const doubled = Math.max(1, firstMs) * 2 ** (attempts - 1);
    const pauseMs = Math.min(LONGEST_PAUSE_MS[wasOpened ? 'opened' : 'unopened'], doubled);
    this.later(shard, pauseMs);
    return pauseMs;
  }

  noteLive(shard: number): void {
    this.liveSince.set(shard, performance.now());
  }

  /** It is being opened, or nobody is to open it any more. */
  cancel(shard: number): void {
    clearTimeout(this.timers.get(shard));
    this.timers.delete(shard);
  }

  /** It is another member's now. */
  forget(shard: number): void {
    this.cancel(shard);
    this.breaks.delete(shard);
    this.liveSince.delete(shard);
  }

  stop(): void {
    for (const shard of this.timers.keys()) this.cancel(shard);
  }
}
