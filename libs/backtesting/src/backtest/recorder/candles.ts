import type { ReportCandles } from '../../report';

/** Candles an instrument that are kept at most. */
const MOST_CANDLES = 2_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Intervals that a chart may have; each is a multiple of the one before. */
const LADDER: readonly number[] = [
  ...[1_000, 5_000, 15_000, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 28 * DAY, 364 * DAY],
];

/**
 * Prices of one instrument as at most 2,000 candles, however long the run is: when the places are used up, neighbours
 * merge into the next longer interval. O(1) a price, amortised; nothing is allocated after the start.
 */
export class CandleSampler {
  private readonly at = new Float64Array(MOST_CANDLES);
  private readonly open = new Float64Array(MOST_CANDLES);
  private readonly high = new Float64Array(MOST_CANDLES);
  private readonly low = new Float64Array(MOST_CANDLES);
  private readonly close = new Float64Array(MOST_CANDLES);
  private count = 0;
  private step = 0;
  private intervalMs = LADDER[0] as number;
  private endsAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly instrument: string) {}

  /** @param stamp when the prices began to hold: a bar's open, a tick's time; epoch ms, never before the last one */
  take(stamp: number, lengthMs: number, open: number, prices: { high: number; low: number; close: number }): void {
    while (lengthMs > this.intervalMs && this.step + 1 < LADDER.length) this.widen();
    if (stamp >= this.endsAt) this.begin(stamp, open);
    const last = this.count - 1;
    if (prices.high > (this.high[last] as number)) this.high[last] = prices.high;
    if (prices.low < (this.low[last] as number)) this.low[last] = prices.low;
    this.close[last] = prices.close;
  }

  /** A single price. */
  tick(stamp: number, price: number): void {
    if (stamp >= this.endsAt) this.begin(stamp, price);
    const last = this.count - 1;
    if (price > (this.high[last] as number)) this.high[last] = price;
    if (price < (this.low[last] as number)) this.low[last] = price;
    this.close[last] = price;
  }

  /** null before the first price. */
  candles(): ReportCandles | null {
    if (this.count === 0) return null;
    const column = (values: Float64Array): number[] => [...values.subarray(0, this.count)];
    return {
      instrument: this.instrument,
      intervalMs: this.intervalMs,
      at: column(this.at),
      open: column(this.open),
      high: column(this.high),
      low: column(this.low),
      close: column(this.close),
    };
  }

  private begin(stamp: number, open: number): void {
    while (this.count === MOST_CANDLES && this.step + 1 < LADDER.length) this.widen();
    const at = stamp - (stamp % this.intervalMs);
    this.endsAt = at + this.intervalMs;
    // A wider interval may reach as far as this price.
    if (this.count > 0 && this.at[this.count - 1] === at) return;
    // Longer than 1,900 years: the newest candle takes what no place is left for.
    if (this.count === MOST_CANDLES) return;
    this.at[this.count] = at;
    for (const prices of [this.open, this.high, this.low, this.close]) prices[this.count] = open;
    this.count += 1;
  }

  private widen(): void {
    this.step += 1;
    this.intervalMs = LADDER[this.step] as number;
    let kept = -1;
    for (let index = 0; index < this.count; index += 1) {
      const stamp = this.at[index] as number;
      const at = stamp - (stamp % this.intervalMs);
      if (kept < 0 || this.at[kept] !== at) {
        kept += 1;
        this.at[kept] = at;
        this.open[kept] = this.open[index] as number;
        this.high[kept] = this.high[index] as number;
        this.low[kept] = this.low[index] as number;
      } else {
        this.high[kept] = Math.max(this.high[kept] as number, this.high[index] as number);
        this.low[kept] = Math.min(this.low[kept] as number, this.low[index] as number);
      }
      this.close[kept] = this.close[index] as number;
    }
    this.count = kept + 1;
    const last = this.at[kept];
    this.endsAt = last === undefined ? Number.NEGATIVE_INFINITY : last + this.intervalMs;
  }
}
