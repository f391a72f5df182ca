import type { Clock } from '../ports/clock';
import type { CacheState } from './cache-writer';

export interface CacheMonitorOptions {
  clock: Clock;
  /** The cache counts as down when it was not up for this long, ms: a quick failover stops nobody. */
  downAfterMs?: number;
  /** It counts as up again when it was so without interruption for this long, ms. */
  upAfterMs?: number;
  /** Told of every change; the execution records it as a halt of the source `cache`, and its lifting (CCH-4). */
  onChange?: (isUp: boolean, detail: string) => void;
}

const DOWN_AFTER_MS = 1_000;
const UP_AFTER_MS = 3_000;

/**
 * Whether opening orders may be placed as far as the cache is concerned, with hysteresis. Reduce-only orders never ask: they
 * are decided from the owner's memory (rule 21).
 */
export class CacheMonitor {
  private isUp: boolean | null = null;
  private cancel: (() => void) | null = null;
  private detail = 'the cache was not reached yet';

  constructor(private readonly options: CacheMonitorOptions) {}

  /** False before the cache was up for the first time. */
  get isCacheUp(): boolean {
    return this.isUp === true;
  }

  /** To be called with every state of the writer. */
  report(state: CacheState, detail: string): void {
    this.detail = detail;
    const isUp = state === 'up';
    if (isUp === this.isUp) return this.forget();
    // At the start nobody has been told anything yet: what is up then is up.
    if (this.isUp === null && isUp) return this.turn(true);
    // The wait for this change has begun already.
    if (this.cancel !== null) return;
    const { clock, downAfterMs = DOWN_AFTER_MS, upAfterMs = UP_AFTER_MS } = this.options;
    this.cancel = clock.at(clock.now() + (isUp ? upAfterMs : downAfterMs), () => this.turn(isUp));
  }

  stop(): void {
    this.forget();
  }

  private turn(isUp: boolean): void {
    this.forget();
    this.isUp = isUp;
    this.options.onChange?.(isUp, this.detail);
  }

  private forget(): void {
    this.cancel?.();
    this.cancel = null;
  }
}
