/** Called with the reason when a figure is not defined; the figure is null then, never 0. */
export type Why = (reason: string) => void;

/** Returns as shares, in order; null = none was seen: it is left out of sums and means. */
export type Returns = readonly (number | null)[];

/** For callers who do not ask for reasons. */
export const unasked: Why = () => undefined;

/**
 * Returns come from quotients near 1 and carry rounding of about 2e-16. A deviation that small is no variation, and
 * dividing by it would report noise as skill.
 */
const ROUNDING = 1e-14;

/** Says why and answers null. */
export function undefinedFigure(why: Why, reason: string): null {
  why(reason);
  return null;
}

/** The values that were seen. */
export function seen(returns: Returns): number[] {
  return returns.filter((value) => value !== null);
}

export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Arithmetic mean; undefined of no values. */
export function mean(returns: Returns, why: Why = unasked): number | null {
  const values = seen(returns);
  if (values.length === 0) return undefinedFigure(why, 'There are no values to take the mean of.');
  return sum(values) / values.length;
}

/** Sample standard deviation, divisor n − 1 (ddof 1); undefined of fewer than two values. */
export function deviation(returns: Returns, why: Why = unasked): number | null {
  const values = seen(returns);
  if (values.length < 2) return undefinedFigure(why, `A deviation needs two values; there are ${values.length}.`);
  return Math.sqrt(centralSum(values, 2) / (values.length - 1));
}

/** The deviation as a divisor: undefined too when the values do not vary beyond rounding. */
export function variation(returns: Returns, why: Why): number | null {
  const spread = deviation(returns, why);
  if (spread === null) return null;
  return spread > ROUNDING ? spread : undefinedFigure(why, 'The values do not vary: their deviation is 0.');
}

/** Σ (x − mean)^power of at least one value. */
function centralSum(values: readonly number[], power: number): number {
  const centre = sum(values) / values.length;
  return sum(values.map((value) => (value - centre) ** power));
}

/**
 * Sample skewness G1 = n ÷ ((n − 1)(n − 2)) · Σ ((x − mean) ÷ s)³ with s of ddof 1, as pandas and spreadsheets have it.
 * Undefined of fewer than three values and of values that do not vary.
 */
export function skewness(returns: Returns, why: Why = unasked): number | null {
  const values = seen(returns);
  const n = values.length;
  if (n < 3) return undefinedFigure(why, `A skew needs three values; there are ${n}.`);
  const spread = variation(values, why);
  return spread === null ? null : (n / ((n - 1) * (n - 2))) * (centralSum(values, 3) / spread ** 3);
}

/**
 * Sample excess kurtosis G2 = n(n + 1) ÷ ((n − 1)(n − 2)(n − 3)) · Σ ((x − mean) ÷ s)⁴ − 3(n − 1)² ÷ ((n − 2)(n − 3)),
 * as pandas and spreadsheets have it: 0 for a normal distribution. Undefined of fewer than four values.
 */
export function kurtosis(returns: Returns, why: Why = unasked): number | null {
  const values = seen(returns);
  const n = values.length;
  if (n < 4) return undefinedFigure(why, `A kurtosis needs four values; there are ${n}.`);
  const spread = variation(values, why);
  if (spread === null) return null;
  const scale = (n * (n + 1)) / ((n - 1) * (n - 2) * (n - 3));
  return scale * (centralSum(values, 4) / spread ** 4) - (3 * (n - 1) ** 2) / ((n - 2) * (n - 3));
}

/**
 * The value below which a share of the values lies. Rule (type 7 of Hyndman and Fan, the default of numpy, R and
 * spreadsheets): h = (n − 1) · share; between the order statistics ⌊h⌋ and ⌈h⌉ it is linear.
 */
export function quantile(returns: Returns, share: number, why: Why = unasked): number | null {
  const sorted = seen(returns).sort((a, b) => a - b);
  if (sorted.length === 0) return undefinedFigure(why, 'There are no values to take a quantile of.');
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

/** Sample covariance of pairs, divisor n − 1; both lists have the same length of at least two. */
export function covariance(left: readonly number[], right: readonly number[]): number {
  const [a, b] = [sum(left) / left.length, sum(right) / right.length];
  return sum(left.map((value, index) => (value - a) * ((right[index] as number) - b))) / (left.length - 1);
}

export interface DistributionBin {
  /** Inclusive. */
  from: number;
  /** Exclusive. */
  to: number;
  count: number;
}

/** A histogram has at most this many bins; about as many as a chart on a phone can show. */
const MOST_BINS = 50;

/**
 * How often returns of which size came: bins of one width, the smallest of 1, 2, 5 · 10^k that needs at most 50 of
 * them. Bounds are multiples of the width, so losses and profits never share a bin. Empty bins in between are listed.
 */
export function distribution(returns: Returns): DistributionBin[] {
  const values = seen(returns);
  if (values.length === 0) return [];
  const lowest = values.reduce((a, b) => Math.min(a, b));
  const highest = values.reduce((a, b) => Math.max(a, b));
  const width = binWidth(lowest, highest);
  const first = Math.floor(lowest / width);
  const counts = new Array<number>(Math.floor(highest / width) - first + 1).fill(0);
  for (const value of values) {
    const bin = Math.floor(value / width) - first;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count, bin) => ({ from: (first + bin) * width, to: (first + bin + 1) * width, count }));
}

function binWidth(lowest: number, highest: number): number {
  // One bin is kept in reserve for the part of a bin that either end may take. A hundredth of a basis point is enough.
  const least = Math.max((highest - lowest) / (MOST_BINS - 1), 1e-6);
  const magnitude = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].find((factor) => factor * magnitude >= least) ?? 10;
  return step * magnitude;
}
