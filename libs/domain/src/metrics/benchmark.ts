import { toNumber, type Decimal } from '../money';
import type { DailySeries } from './daily';
import { drawdownSeries, drawdownsOf, ulcerIndex, type Drawdown } from './drawdowns';
import { annualReturn, calmar, returnsOf, sharpe, sortino, volatility } from './ratios';
import type { BenchmarkRecording } from './recording';
import { covariance, mean, unasked, undefinedFigure, variation, type Why } from './statistics';
import type { WhyAt } from './trade-figures';

/** Buying at the first price and holding, measured by the same definitions, and the portfolio against it. */
export interface BenchmarkMetrics {
  instrument: string;
  /** What the start equity would have become; flows are left out. */
  finalEquity: number;
  totalReturn: number;
  cagr: number | null;
  volatility: number | null;
  sharpe: number | null;
  sortino: number | null;
  calmarDaily: number | null;
  maxDrawdownDaily: number;
  ulcerIndex: number | null;
  bestDay: number;
  worstDay: number;
  /** Total return of the portfolio − that of the benchmark. */
  excessReturn: number | null;
  /** Jensen's, annualised. */
  alpha: number | null;
  beta: number | null;
  correlation: number | null;
  /** Deviation of the differences of daily returns, annualised. */
  trackingError: number | null;
  informationRatio: number | null;
  drawdowns: Drawdown[];
  /** One a day of the portfolio's series. */
  daily: { day: number; equity: number; return: number; underwater: number }[];
}

interface Measured {
  startEquity: Decimal;
  series: DailySeries;
  totalReturn: number | null;
  periodsPerYear: number;
}

/**
 * Measures the benchmark on the portfolio's own days: a day without a price closes at the last one before it.
 *
 *     beta  = cov(r, b) ÷ var(b)             r, b = daily returns of portfolio and benchmark, ddof 1
 *     alpha = (mean(r) − beta · mean(b)) · P  Jensen's with a riskless rate of 0
 *
 * @throws RangeError when a price is not positive
 */
export function benchmarkMetrics(benchmark: BenchmarkRecording, measured: Measured, whyAt: WhyAt): BenchmarkMetrics {
  const { series, periodsPerYear } = measured;
  const prices = pricesOn(benchmark, series);
  const returns = returnsOf(prices);
  const depths = drawdownSeries(prices);
  const start = toNumber(measured.startEquity);
  const last = prices[prices.length - 1] as number;
  const totalReturn = last / benchmark.startPrice - 1;
  const cagr = annualReturn(returns, periodsPerYear, whyAt('cagr'));
  const drawdowns = drawdownsOf(prices, series.points[0]?.day ?? 0);
  if (drawdowns.some(({ recoveryDay }) => recoveryDay === null)) {
    whyAt('drawdowns[].recoveryDay')('The fall had not been made good when the run ended.');
    whyAt('drawdowns[].recoveryDays')('The fall had not been made good when the run ended.');
  }
  const deepest = depths.reduce((a, b) => Math.min(a, b), 0);
  return {
    instrument: benchmark.instrument,
    finalEquity: (start * last) / benchmark.startPrice,
    totalReturn,
    cagr,
    volatility: volatility(returns, periodsPerYear, whyAt('volatility')),
    sharpe: sharpe(returns, periodsPerYear, whyAt('sharpe')),
    sortino: sortino(returns, periodsPerYear, whyAt('sortino')),
    calmarDaily: calmar(cagr, deepest, whyAt('calmarDaily')),
    maxDrawdownDaily: deepest,
    ulcerIndex: ulcerIndex(depths.slice(1), whyAt('ulcerIndex')),
    bestDay: returns.reduce((a, b) => Math.max(a, b)),
    worstDay: returns.reduce((a, b) => Math.min(a, b)),
    excessReturn:
      measured.totalReturn === null
        ? undefinedFigure(whyAt('excessReturn'), 'The total return is undefined.')
        : measured.totalReturn - totalReturn,
    ...against(returns, measured, whyAt),
    drawdowns,
    daily: series.points.map(({ day }, index) => ({
      day,
      equity: (start * (prices[index + 1] as number)) / benchmark.startPrice,
      return: returns[index] as number,
      underwater: depths[index + 1] as number,
    })),
  };
}

/** The start price, then the close of each day of the series. */
function pricesOn(benchmark: BenchmarkRecording, series: DailySeries): number[] {
  const { instrument, startPrice, days } = benchmark;
  const prices = [startPrice];
  let next = 0;
  for (const { day } of series.points) {
    let price = prices[prices.length - 1] as number;
    for (let close = days[next]; close !== undefined && close.day <= day; close = days[++next]) price = close.close;
    prices.push(price);
  }
  const bad = prices.find((price) => !(price > 0 && price < Number.POSITIVE_INFINITY));
  if (bad !== undefined)
    throw new RangeError(`The benchmark ${instrument} has a price of ${bad}: prices must be positive and finite.`);
  return prices;
}

function against(benchmark: readonly number[], { series, periodsPerYear }: Measured, whyAt: WhyAt) {
  const missing = series.returnsMissing;
  if (missing !== null) {
    const none = (name: string) => undefinedFigure(whyAt(name), missing);
    return {
      alpha: none('alpha'),
      beta: none('beta'),
      correlation: none('correlation'),
      trackingError: none('trackingError'),
      informationRatio: none('informationRatio'),
    };
  }
  const returns = series.points.map((point) => point.return ?? 0);
  const differences = returns.map((value, index) => value - (benchmark[index] as number));
  return {
    alpha: alpha(returns, benchmark, periodsPerYear, whyAt('alpha')),
    beta: beta(returns, benchmark, whyAt('beta')),
    correlation: correlation(returns, benchmark, whyAt('correlation')),
    trackingError: volatility(differences, periodsPerYear, whyAt('trackingError')),
    informationRatio: sharpe(differences, periodsPerYear, whyAt('informationRatio')),
  };
}

/** cov(r, b) ÷ var(b), both ddof 1. Undefined when the benchmark does not vary. Lists of one length. */
export function beta(returns: readonly number[], benchmark: readonly number[], why: Why = unasked): number | null {
  const spread = variation(benchmark, (reason) => why(`Of the benchmark: ${reason}`));
  return spread === null ? null : covariance(returns, benchmark) / spread ** 2;
}

/** Jensen's alpha, annualised, riskless rate 0: (mean(r) − beta · mean(b)) · P. Lists of one length. */
export function alpha(
  returns: readonly number[],
  benchmark: readonly number[],
  periodsPerYear: number,
  why: Why = unasked,
): number | null {
  const slope = beta(returns, benchmark, why);
  const [own, market] = [mean(returns), mean(benchmark)];
  return slope === null || own === null || market === null ? null : (own - slope * market) * periodsPerYear;
}

/** cov(r, b) ÷ (s(r) · s(b)). Undefined when one of them does not vary. Lists of one length. */
export function correlation(
  returns: readonly number[],
  benchmark: readonly number[],
  why: Why = unasked,
): number | null {
  const market = variation(benchmark, (reason) => why(`Of the benchmark: ${reason}`));
  const own = variation(returns, (reason) => why(`Of the portfolio: ${reason}`));
  return market === null || own === null ? null : covariance(returns, benchmark) / (own * market);
}
