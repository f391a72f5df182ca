export interface SlaMonitorOptions {
  /** The 99th percentile may not be above this, ms. */
  boundMs: number;
  /** Observations that are judged together. */
  samples: number;
  /** Told the percentile, ms, of samples that missed the level; at most once per `quietMs`. */
  onViolation: (p99Ms: number) => void;
  /** Wall time between two reports, ms. */
  quietMs: number;
  wall?: () => number;
}

/** Judges a latency by its 99th percentile over blocks of observations. */
export class SlaMonitor {
  private values: number[] = [];
  private reportedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: SlaMonitorOptions) {}

  observe(elapsedMs: number): void {
    this.values.push(elapsedMs);
    const { samples, boundMs, quietMs, onViolation, wall = Date.now } = this.options;
    if (this.values.length < samples) return;
    const sorted = this.values.sort((a, b) => a - b);
    const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
    this.values = [];
    if (p99 <= boundMs || wall() - this.reportedAt < quietMs) return;
    this.reportedAt = wall();
    onViolation(p99);
  }
}
