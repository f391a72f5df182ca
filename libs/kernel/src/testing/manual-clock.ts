import type { Clock } from '../ports/clock';

interface Call {
  at: number;
  callback: () => void;
}

/** A clock that stands still until a test moves it; what falls due on the way is called in the order of its time. */
export class ManualClock implements Clock {
  private calls: Call[] = [];

  constructor(private time: number) {}

  now(): number {
    return this.time;
  }

  at(at: number, callback: () => void): () => void {
    const call = { at, callback };
    this.calls.push(call);
    return () => void (this.calls = this.calls.filter((other) => other !== call));
  }

  /** When the next call is due, ms; null when there is none. */
  get next(): number | null {
    return this.calls.length === 0 ? null : Math.min(...this.calls.map(({ at }) => at));
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (let next = this.next; next !== null && next <= end; next = this.next) {
      const call = this.calls.find(({ at }) => at === next);
      this.calls = this.calls.filter((other) => other !== call);
      this.time = Math.max(this.time, next);
      call?.callback();
    }
    this.time = end;
  }
}
