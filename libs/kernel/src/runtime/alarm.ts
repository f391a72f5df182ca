import type { Clock } from '../ports/clock';

/** One call at a time of the run's clock. Setting it anew moves it; the same time again costs nothing. */
export class Alarm {
  private at: number | null = null;
  private cancel: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  /** @param at run time, ms; null = no call */
  set(at: number | null): void {
    if (at === this.at) return;
    this.off();
    if (at === null) return;
    this.at = at;
    this.cancel = this.clock.at(at, () => {
      this.at = null;
      this.cancel = null;
      this.ring();
    });
  }

  off(): void {
    this.cancel?.();
    this.cancel = null;
    this.at = null;
  }
}
