/** How long the latest of something took, ms. */
export interface DurationSummary {
  /** Since the process started. */
  count: number;
  p50: number;
  p99: number;
  max: number;
}

const KEPT = 1_024;

/** The newest durations of something that happens all the time, for whoever looks at a process: noting one costs nothing. */
export class RecentDurations {
  private readonly kept = new Float64Array(KEPT);
  private count = 0;

  /** @param ms wall time */
  note(ms: number): void {
    this.kept[this.count % KEPT] = ms;
    this.count += 1;
  }

  /** Of the newest 1,024; null before the first. */
  summary(): DurationSummary | null {
    if (this.count === 0) return null;
    const sorted = this.kept.slice(0, Math.min(this.count, KEPT)).sort();
    const at = (share: number): number =>
      rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
    return { count: this.count, p50: at(0.5), p99: at(0.99), max: rounded(sorted[sorted.length - 1]!) };
  }
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;
