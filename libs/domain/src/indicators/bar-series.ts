import { wholePeriod } from './sliding-sum';

/** One bar; prices in quote per base, volume in base, stamps in epoch ms. */
export interface Bar {
  openedAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** Plain JSON: the last `capacity` closed bars of one length (a ring), and the one that is forming. */
export interface BarSeriesState {
  intervalMs: number;
  capacity: number;
  bars: Bar[];
  index: number;
  forming: Bar | null;
}

const NONE: readonly Bar[] = [];

/**
 * @param intervalMs length of the series' bars; a multiple of the length of the bars that will be pushed.
 * @param capacity closed bars that are kept.
 */
export function createBarSeries(intervalMs: number, capacity: number): BarSeriesState {
  return { intervalMs: wholePeriod(intervalMs), capacity: wholePeriod(capacity), bars: [], index: 0, forming: null };
}

/**
 * Adds a closed bar of `intervalMs` and returns the series' bars that this closes: usually none or one; two when a gap in
 * the feed left the previous one open and this bar completes its own. Gaps stay gaps: a bar without data is not invented.
 * Bars are aligned to the epoch, hence to UTC days. A bar older than the one forming is ignored.
 */
export function pushBar(series: BarSeriesState, bar: Bar, intervalMs: number): readonly Bar[] {
  const openedAt = bar.openedAt - (bar.openedAt % series.intervalMs);
  const forming = series.forming;
  if (forming !== null && openedAt < forming.openedAt) return NONE;
  let closed = NONE;
  if (forming !== null && forming.openedAt === openedAt) merge(forming, bar);
  else {
    if (forming !== null) closed = [keep(series, forming)];
    const { open, high, low, close, volume } = bar;
    series.forming = { openedAt, open, high, low, close, volume };
  }
  if (bar.openedAt + intervalMs < openedAt + series.intervalMs) return closed;
  const complete = keep(series, series.forming as Bar);
  series.forming = null;
  return closed.length === 0 ? [complete] : [...closed, complete];
}

/** The closed bar `ago` bars back (0 = the latest), or null when the series does not reach that far. */
export function barAt(series: BarSeriesState, ago: number): Bar | null {
  const { bars, index } = series;
  if (ago < 0 || ago >= bars.length) return null;
  return bars[(index - 1 - ago + 2 * bars.length) % bars.length] ?? null;
}

function merge(into: Bar, bar: Bar): void {
  into.high = Math.max(into.high, bar.high);
  into.low = Math.min(into.low, bar.low);
  into.close = bar.close;
  into.volume += bar.volume;
}

function keep(series: BarSeriesState, bar: Bar): Bar {
  if (series.bars.length < series.capacity) series.bars.push(bar);
  else series.bars[series.index] = bar;
  series.index = (series.index + 1) % series.capacity;
  return bar;
}
