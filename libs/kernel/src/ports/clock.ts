/**
 * The only source of "now" outside handlers. Handlers never see it: their time is the event's.
 * All values are milliseconds since the epoch, UTC.
 */
export interface Clock {
  /** Present time of the run: wall time live, scaled time for a synthetic feed, feed time in lock-step. */
  now(): number;
  /** Calls back once when `now()` has reached `at`; returns a function that cancels the call. */
  at(at: number, callback: () => void): () => void;
}

/** Longest delay that a Node timer takes, in milliseconds; longer waits are made of several. */
const MAX_TIMER_MS = 2_147_483_647;

/** Wall time, or wall time run at a constant multiple from a fixed start (a synthetic feed at 60×). */
export class RunningClock implements Clock {
  private readonly wallStart: number;

  /**
   * @param speed run milliseconds per wall millisecond; 1 is real time
   * @param startAt run time at construction, ms; default: the wall clock's
   * @param wall reads the wall clock, ms
   */
  constructor(
    private readonly speed = 1,
    private readonly startAt: number | null = null,
    private readonly wall: () => number = Date.now,
  ) {
    this.wallStart = wall();
  }

  now(): number {
    const elapsed = this.wall() - this.wallStart;
    return Math.floor((this.startAt ?? this.wallStart) + elapsed * this.speed);
  }

  at(at: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout | null = null;
    const arm = (): void => {
      const waitMs = Math.ceil((at - this.now()) / this.speed);
      if (waitMs <= 0) {
        timer = null;
        callback();
        return;
      }
      timer = setTimeout(arm, Math.min(waitMs, MAX_TIMER_MS));
    };
    const waitMs = Math.max(0, Math.ceil((at - this.now()) / this.speed));
    timer = setTimeout(arm, Math.min(waitMs, MAX_TIMER_MS));
    return () => {
      if (timer) clearTimeout(timer);
    };
  }
}
