import {
  createBollinger,
  createMacd,
  createRsi,
  createSma,
  pushBollinger,
  pushMacd,
  pushRsi,
  pushSma,
} from '@moon/domain';
import { median, type BenchFigure, type BenchSize } from './figure';

const SIZES = { full: 200_000, short: 5_000 } as const;
/** Share of the bars that are not timed. */
const WARM_UP_SHARE = 0.1;
/** Bars timed together: the timer costs as much as a bar. */
const BATCH = 50;
const REPEATS = 5;

/** A repeatable random walk of closes with two decimals. */
function closes(bars: number): Float64Array {
  const prices = new Float64Array(bars);
  let price = 50_000;
  let seed = 11;
  for (let i = 0; i < bars; i += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    price *= 1 + (seed / 0x7fffffff - 0.5) * 0.002;
    prices[i] = Math.round(price * 100) / 100;
  }
  return prices;
}

/** What a bar yields: SMA 20, SMA 50, RSI 14, MACD line and signal, upper and lower Bollinger band. */
type Row = Float64Array;
const COLUMNS = 7;
type PerBar = (close: number, row: Row, at: number) => void;

/** The indicators of @moon/domain, streaming over plain-JSON states. */
function streaming(): PerBar {
  const [sma20, sma50, rsi] = [createSma(20), createSma(50), createRsi(14)];
  const [macd, bollinger] = [createMacd(12, 26, 9), createBollinger(20, 2)];
  return (close, row, at) => {
    row[at] = pushSma(sma20, close) ?? Number.NaN;
    row[at + 1] = pushSma(sma50, close) ?? Number.NaN;
    row[at + 2] = pushRsi(rsi, close) ?? Number.NaN;
    const lines = pushMacd(macd, close);
    row[at + 3] = lines?.macd ?? Number.NaN;
    row[at + 4] = lines?.signal ?? Number.NaN;
    const bands = pushBollinger(bollinger, close);
    row[at + 5] = bands?.upper ?? Number.NaN;
    row[at + 6] = bands?.lower ?? Number.NaN;
  };
}

/** The textbook over a Float64Array: windows summed afresh at each bar, recursions in local variables. */
function naive(prices: Float64Array): PerBar {
  let i = -1;
  let [gain, loss, fast, slow, signal, lines] = [0, 0, 0, 0, 0, 0];
  const sum = (n: number): number => {
    let total = 0;
    for (let j = i + 1 - n; j <= i; j += 1) total += prices[j]!;
    return total;
  };
  const ema = (value: number, x: number, n: number, count: number): number => {
    if (count > n) return value + ((x - value) * 2) / (n + 1);
    return count === n ? (value + x) / n : value + x;
  };
  const wilder = (value: number, x: number, count: number): number =>
    count > 14 ? (value * 13 + x) / 14 : count === 14 ? (value + x) / 14 : value + x;
  return (close, row, at) => {
    i += 1;
    row[at] = i >= 19 ? sum(20) / 20 : Number.NaN;
    row[at + 1] = i >= 49 ? sum(50) / 50 : Number.NaN;
    if (i > 0) {
      const change = close - prices[i - 1]!;
      gain = wilder(gain, Math.max(change, 0), i);
      loss = wilder(loss, Math.max(-change, 0), i);
    }
    row[at + 2] = i >= 14 ? 100 * (gain / (gain + loss)) : Number.NaN;
    fast = ema(fast, close, 12, i + 1);
    slow = ema(slow, close, 26, i + 1);
    if (i >= 25) signal = ema(signal, fast - slow, 9, (lines += 1));
    row[at + 3] = i >= 25 ? fast - slow : Number.NaN;
    row[at + 4] = lines >= 9 ? signal : Number.NaN;
    if (i < 19) return void (row[at + 5] = row[at + 6] = Number.NaN);
    const mean = row[at]!;
    let squares = 0;
    for (let j = i - 19; j <= i; j += 1) squares += (prices[j]! - mean) ** 2;
    const half = 2 * Math.sqrt(squares / 20);
    row[at + 5] = mean + half;
    row[at + 6] = mean - half;
  };
}

/** Fills `rows` and gives the sorted microseconds a bar of each batch after the warm-up. */
function time(prices: Float64Array, perBar: PerBar, rows: Row): number[] {
  const batches: number[] = [];
  for (let from = 0; from < prices.length; from += BATCH) {
    const began = process.hrtime.bigint();
    for (let i = from; i < from + BATCH; i += 1) perBar(prices[i]!, rows, i * COLUMNS);
    if (from >= prices.length * WARM_UP_SHARE) batches.push(Number(process.hrtime.bigint() - began) / 1_000 / BATCH);
  }
  return batches.sort((a, b) => a - b);
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.floor(sorted.length * q)] ?? Number.NaN;

function worstDifference(ours: Row, theirs: Row): number {
  let worst = 0;
  for (let i = 0; i < ours.length; i += 1) {
    if (Number.isNaN(ours[i]!) !== Number.isNaN(theirs[i]!)) return Number.POSITIVE_INFINITY;
    if (!Number.isNaN(ours[i]!)) worst = Math.max(worst, Math.abs(ours[i]! - theirs[i]!));
  }
  return worst;
}

/**
 * SMA 20 and 50, RSI 14, MACD 12/26/9 and Bollinger 20/2 a bar, beside the textbook over a Float64Array in the same run.
 * Indicators alone: no events, no validation, no persistence. A bar's time is the mean of its batch of 50.
 */
export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const bars = SIZES[size];
  const prices = closes(bars);
  const rows = { ours: new Float64Array(bars * COLUMNS), naive: new Float64Array(bars * COLUMNS) };
  const seen = { ours: [] as number[][], naive: [] as number[][] };
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    seen.ours.push(time(prices, streaming(), rows.ours));
    seen.naive.push(time(prices, naive(prices), rows.naive));
  }
  const difference = worstDifference(rows.ours, rows.naive);
  if (!(difference < 1e-6)) throw new Error(`The indicators differ from the textbook by up to ${difference}.`);
  return [0.5, 0.99].map((q) => {
    const value = median(seen.ours.map((sorted) => quantile(sorted, q)));
    const baseline = median(seen.naive.map((sorted) => quantile(sorted, q)));
    const metric = `four indicators a bar, p${q * 100} (batches of ${BATCH})`;
    return { bench: 'indicators', metric, value, unit: 'µs', baseline, ratio: value / baseline };
  });
}
