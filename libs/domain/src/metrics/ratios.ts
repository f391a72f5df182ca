import {
  mean,
  quantile,
  seen,
  sum,
  undefinedFigure,
  unasked,
  variation,
  deviation,
  type Returns,
  type Why,
} from './statistics';

/** Milliseconds of a year of 365.25 days, by which calendar spans turn into years. */
const YEAR_MS = 31_557_600_000;

/** Simple returns of a series of prices or equities: p(i) ÷ p(i − 1) − 1, one fewer than there are prices. */
export function returnsOf(prices: readonly number[]): number[] {
  return prices.slice(1).map((price, index) => price / (prices[index] as number) - 1);
}

/** Π (1 + r) − 1; 0 of no returns. */
export function totalReturn(returns: Returns): number {
  return seen(returns).reduce((growth, value) => growth * (1 + value), 1) - 1;
}

/**
 * Compound annual growth: (1 + total)^(1 ÷ years) − 1. With n returns of P a year, years = n ÷ P; between two instants
 * `yearsBetween`. Undefined without time and when more than everything was lost.
 */
export function compoundAnnualGrowth(total: number, years: number, why: Why = unasked): number | null {
  if (!(years > 0)) return undefinedFigure(why, 'No time has passed.');
  if (total < -1) return undefinedFigure(why, 'More than everything was lost: a negative equity has no growth rate.');
  return (1 + total) ** (1 / years) - 1;
}

/** Years of 365.25 days between two instants, epoch ms. */
export function yearsBetween(from: number, to: number): number {
  return (to - from) / YEAR_MS;
}

/** `compoundAnnualGrowth` of returns. A null return counts in n: its period passed. */
export function annualReturn(returns: Returns, periodsPerYear: number, why: Why = unasked): number | null {
  return compoundAnnualGrowth(totalReturn(returns), returns.length / periodsPerYear, why);
}

/** s · √P, s the deviation of the returns with ddof 1. */
export function volatility(returns: Returns, periodsPerYear: number, why: Why = unasked): number | null {
  const spread = deviation(returns, why);
  return spread === null ? null : spread * Math.sqrt(periodsPerYear);
}

/** mean ÷ s · √P, riskless rate 0. Undefined of fewer than two returns and of returns that do not vary. */
export function sharpe(returns: Returns, periodsPerYear: number, why: Why = unasked): number | null {
  const spread = variation(returns, why);
  const average = mean(returns);
  return spread === null || average === null ? null : (average / spread) * Math.sqrt(periodsPerYear);
}

/** √(mean of min(r, 0)²) · √P: target 0, divisor n, so periods without a loss count. Undefined of no returns. */
export function downsideRisk(returns: Returns, periodsPerYear: number, why: Why = unasked): number | null {
  const squares = mean(
    returns.map((value) => (value === null ? null : Math.min(value, 0) ** 2)),
    why,
  );
  return squares === null ? null : Math.sqrt(squares) * Math.sqrt(periodsPerYear);
}

/** mean · P ÷ downside risk. Undefined when no return is below 0. */
export function sortino(returns: Returns, periodsPerYear: number, why: Why = unasked): number | null {
  const average = mean(returns, why);
  const risk = downsideRisk(returns, periodsPerYear);
  if (average === null || risk === null) return null;
  if (risk === 0) return undefinedFigure(why, 'No return is below 0: there is no downside to divide by.');
  return (average * periodsPerYear) / risk;
}

/** Growth a year for each share of the deepest fall: annual return ÷ |maximum drawdown|. Undefined without a fall. */
export function calmar(annual: number | null, drawdown: number | null, why: Why = unasked): number | null {
  if (annual === null) return undefinedFigure(why, 'The annual return is undefined.');
  if (drawdown === null) return undefinedFigure(why, 'The drawdown is undefined.');
  if (drawdown === 0) return undefinedFigure(why, 'The equity never fell: there is no drawdown to divide by.');
  return annual / Math.abs(drawdown);
}

/** Σ max(r − threshold, 0) ÷ Σ max(threshold − r, 0), threshold a period. Undefined when nothing lies below it. */
export function omega(returns: Returns, threshold = 0, why: Why = unasked): number | null {
  const excesses = seen(returns).map((value) => value - threshold);
  const losses = -sum(excesses.filter((excess) => excess < 0));
  if (losses === 0) return undefinedFigure(why, 'No return is below the threshold.');
  return sum(excesses.filter((excess) => excess > 0)) / losses;
}

/** Historical value at risk: the quantile of the returns at `tail` (5 %: confidence 95 %); negative = a loss. */
export function valueAtRisk(returns: Returns, tail = 0.05, why: Why = unasked): number | null {
  return quantile(returns, tail, why);
}

/** Expected shortfall: the mean of the ⌊(n − 1) · tail⌋ + 1 lowest returns, those up to the value at risk. */
export function conditionalValueAtRisk(returns: Returns, tail = 0.05, why: Why = unasked): number | null {
  const sorted = seen(returns).sort((a, b) => a - b);
  return mean(sorted.slice(0, Math.floor((sorted.length - 1) * tail) + 1), why);
}

/** |95 % quantile| ÷ |5 % quantile|: how the best days stand to the worst. */
export function tailRatio(returns: Returns, why: Why = unasked): number | null {
  const [low, high] = [quantile(returns, 0.05, why), quantile(returns, 0.95)];
  if (low === null || high === null) return null;
  return low === 0 ? undefinedFigure(why, 'The 5 % quantile of the returns is 0.') : Math.abs(high) / Math.abs(low);
}

/** Share of the returns that are above 0; those that are 0 count in the divisor. */
export function winRate(returns: Returns, why: Why = unasked): number | null {
  return mean(
    returns.map((value) => (value === null ? null : value > 0 ? 1 : 0)),
    why,
  );
}

/** Σ of the positive values ÷ |Σ of the negative ones|. Undefined without a negative one. */
export function profitFactor(values: Returns, why: Why = unasked): number | null {
  return omega(values, 0, (_) => why('Nothing was lost: there is no loss to divide by.'));
}

/** The longest run of values in a row that satisfy `counts`. */
export function longestStreak(values: readonly number[], counts: (value: number) => boolean): number {
  let longest = 0;
  let current = 0;
  for (const value of values) {
    current = counts(value) ? current + 1 : 0;
    if (current > longest) longest = current;
  }
  return longest;
}
