import type { Clock } from '@moon/kernel';

interface Timer {
  at: number;
  callback: () => void;
}

/** A clock that stands still until it is told to go on; callbacks fire in the order of their times. */
export class ManualClock implements Clock {
  private timers: Timer[] = [];

  constructor(private time: number) {}

  now(): number {
    return this.time;
  }

  at(at: number, callback: () => void): () => void {
    const timer = { at, callback };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((one) => one !== timer));
  }

  /** Goes on by `ms`, stopping at each callback's time on the way. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((one) => one !== next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = end;
  }
}
