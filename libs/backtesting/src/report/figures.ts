import { reasonFor, type BenchmarkMetrics, type PortfolioMetrics } from '@moon/domain';
import { day, decimal, duration, minute, percent, plural, signed, signedPercent } from './format';

/** How a figure is written: a share as per cent, an amount in the settlement asset, and so on. */
type Form = 'share' | 'gain' | 'ratio' | 'amount' | 'result' | 'count' | 'days' | 'ms' | 'time' | 'day';

export interface Figure {
  key: keyof PortfolioMetrics;
  label: string;
  form: Form;
  /** What it means, in the words of docs/metrics.md. */
  meaning: string;
}

const figure = (key: Figure['key'], label: string, form: Form, meaning: string): Figure => ({
  key,
  label,
  form,
  meaning,
});

export const RETURN_FIGURES: readonly Figure[] = [
  figure('totalReturn', 'Total return', 'gain', 'Growth of one unit over the run, deposits and withdrawals taken out.'),
  figure('cagr', 'CAGR', 'gain', 'Compound annual growth: (1 + total return)^(365 ÷ days) − 1.'),
  figure('volatility', 'Volatility', 'share', 'Standard deviation of the daily returns (ddof 1) × √365.'),
  figure('meanDay', 'Mean day', 'gain', 'Arithmetic mean of the daily returns.'),
  figure('bestDay', 'Best day', 'gain', 'Highest daily return.'),
  figure('worstDay', 'Worst day', 'gain', 'Lowest daily return.'),
  figure(
    'skew',
    'Skew',
    'ratio',
    'Sample skewness of the daily returns; negative: the long tail is on the side of losses.',
  ),
  figure(
    'kurtosis',
    'Excess kurtosis',
    'ratio',
    'Sample excess kurtosis of the daily returns; 0 for a normal distribution.',
  ),
];

export const RISK_FIGURES: readonly Figure[] = [
  figure(
    'sharpe',
    'Sharpe',
    'ratio',
    'Mean ÷ standard deviation (ddof 1) of the daily returns × √365, riskless rate 0.',
  ),
  figure('sortino', 'Sortino', 'ratio', 'Mean daily return × 365 ÷ downside risk; target 0, divisor n.'),
  figure('calmar', 'Calmar', 'ratio', 'CAGR ÷ |maximum drawdown|.'),
  figure('omega', 'Omega', 'ratio', 'Sum of the daily gains ÷ sum of the daily losses, threshold 0.'),
  figure('downsideRisk', 'Downside risk', 'share', '√(mean of min(return, 0)²) × √365.'),
  figure(
    'maxDrawdown',
    'Maximum drawdown',
    'gain',
    'Deepest fall below a running peak over all observations, the start included.',
  ),
  figure('maxDrawdownAmount', 'Deepest fall', 'result', 'The maximum drawdown in the settlement asset.'),
  figure('maxDrawdownPeakAt', 'Fell from', 'time', 'When the peak before the maximum drawdown was.'),
  figure('maxDrawdownTroughAt', 'Fell until', 'time', 'When the lowest point of the maximum drawdown was.'),
  figure(
    'maxDrawdownDaily',
    'Maximum drawdown, daily',
    'gain',
    'The same on daily closes alone, so it is never the deeper of the two.',
  ),
  figure('calmarDaily', 'Calmar, daily', 'ratio', 'CAGR ÷ |maximum drawdown, daily|.'),
  figure(
    'longestDrawdownDays',
    'Longest drawdown',
    'days',
    'Days from a peak to its recovery, or to the end where it has not recovered.',
  ),
  figure('underwaterTime', 'Time under water', 'share', 'Share of the days that closed below the peak.'),
  figure('ulcerIndex', 'Ulcer index', 'share', '√(mean of the squared daily drawdowns).'),
  figure(
    'valueAtRisk',
    'Value at risk, 95 %',
    'gain',
    '5 % quantile of the daily returns: one day in twenty is worse.',
  ),
  figure('conditionalValueAtRisk', 'Expected shortfall, 95 %', 'gain', 'Mean of the returns up to the value at risk.'),
  figure('tailRatio', 'Tail ratio', 'ratio', '|95 % quantile| ÷ |5 % quantile| of the daily returns.'),
];

export const TRADE_FIGURES: readonly Figure[] = [
  figure(
    'trades',
    'Closed trades',
    'count',
    'Round trips: from a position’s opening, or the flip that opened it, to its closing.',
  ),
  figure('fills', 'Fills', 'count', 'Executions, partial ones counted each.'),
  figure('tradesPerDay', 'Trades a day', 'ratio', 'Closed trades ÷ days.'),
  figure('winRate', 'Win rate', 'share', 'Share of the closed trades with a net result above 0.'),
  figure(
    'profitFactor',
    'Profit factor',
    'ratio',
    'Net result of the winning trades ÷ |net result of the losing ones|.',
  ),
  figure('expectancy', 'Expectancy', 'result', 'Mean net result of a closed trade.'),
  figure(
    'expectancyRatio',
    'Expectancy ratio',
    'ratio',
    'Expectancy ÷ |average loss|: the mean result in units of what a loss costs.',
  ),
  figure('averageWin', 'Average win', 'result', 'Mean net result of the winning trades.'),
  figure('averageLoss', 'Average loss', 'result', 'Mean net result of the losing trades.'),
  figure('payoffRatio', 'Payoff ratio', 'ratio', 'Average win ÷ |average loss|.'),
  figure('bestTrade', 'Best trade', 'result', 'Highest net result of a trade.'),
  figure('worstTrade', 'Worst trade', 'result', 'Lowest net result of a trade.'),
  figure('longestWinStreak', 'Longest winning streak', 'count', 'Most wins in a row, in order of closing.'),
  figure('longestLossStreak', 'Longest losing streak', 'count', 'Most losses in a row, in order of closing.'),
  figure('meanHoldingMs', 'Mean holding time', 'ms', 'From opening to closing.'),
  figure('medianHoldingMs', 'Median holding time', 'ms', 'Half of the trades were held longer.'),
  figure('shortestHoldingMs', 'Shortest holding time', 'ms', 'Of all closed trades.'),
  figure('longestHoldingMs', 'Longest holding time', 'ms', 'Of all closed trades.'),
  figure('meanHoldingWinsMs', 'Mean holding time of wins', 'ms', 'Of the winning trades.'),
  figure('meanHoldingLossesMs', 'Mean holding time of losses', 'ms', 'Of the losing trades.'),
  figure('averageMae', 'Average MAE', 'result', 'Mean of the worst mark-to-market results while a trade was held.'),
  figure('averageMfe', 'Average MFE', 'result', 'Mean of the best mark-to-market results while a trade was held.'),
  figure('worstMae', 'Worst MAE', 'result', 'The worst of them.'),
  figure('bestMfe', 'Best MFE', 'result', 'The best of them.'),
];

export const DAY_FIGURES: readonly Figure[] = [
  figure('days', 'Days', 'count', 'UTC days of the run.'),
  figure('winDays', 'Winning days', 'count', 'Days with a return above 0.'),
  figure('lossDays', 'Losing days', 'count', 'Days with a return below 0.'),
  figure('winRateDays', 'Win rate, days', 'share', 'Share of the days with a return above 0.'),
  figure(
    'profitFactorDays',
    'Profit factor, days',
    'ratio',
    'Sum of the daily gains ÷ |sum of the daily losses|, of returns.',
  ),
  figure('averageWinDays', 'Average winning day', 'gain', 'Mean of the returns above 0.'),
  figure('averageLossDays', 'Average losing day', 'gain', 'Mean of the returns below 0.'),
  figure('payoffRatioDays', 'Payoff ratio, days', 'ratio', 'Average winning day ÷ |average losing day|.'),
  figure('longestWinStreakDays', 'Winning days in a row', 'count', 'At most.'),
  figure('longestLossStreakDays', 'Losing days in a row', 'count', 'At most.'),
];

export const MONEY_FIGURES: readonly Figure[] = [
  figure('startEquity', 'Start equity', 'amount', 'Equity before the first trade.'),
  figure('finalEquity', 'Final equity', 'amount', 'Cash and positions marked to the last prices.'),
  figure('flows', 'Deposits − withdrawals', 'result', 'During the run; they are no profit.'),
  figure('netProfit', 'Net profit', 'result', 'Final equity − start equity − flows.'),
  figure('closedPnl', 'Closed P&L', 'result', 'Net result of the closed trades.'),
  figure('openPnl', 'Open P&L', 'result', 'Net result so far of what is still held.'),
  figure('grossProfit', 'Won', 'result', 'Net result of the winning trades.'),
  figure('grossLoss', 'Lost', 'result', 'Net result of the losing trades.'),
  figure('fees', 'Fees', 'amount', 'Paid to the venue, all fills.'),
  figure('funding', 'Funding', 'result', 'Received; negative = paid.'),
  figure('turnover', 'Turnover', 'amount', 'Sum of quantity × price of all fills.'),
  figure('turnoverRatio', 'Turnover ÷ equity', 'ratio', 'Turnover ÷ mean of the daily equities.'),
  figure('feeRate', 'Fee rate', 'share', 'Fees ÷ turnover.'),
  figure('exposureTime', 'Time in the market', 'share', 'Share of the run with any position.'),
  figure('meanExposure', 'Mean exposure', 'share', 'Time-weighted mean of gross notional ÷ equity.'),
  figure('maxExposureDaily', 'Highest exposure', 'share', 'Highest gross notional ÷ equity at a daily close.'),
];

/** Figures that exist only against the benchmark. */
export const BENCHMARK_FIGURES: readonly (Omit<Figure, 'key'> & { key: keyof BenchmarkMetrics })[] = [
  { key: 'excessReturn', label: 'Excess return', form: 'gain', meaning: 'Total return − that of buying and holding.' },
  {
    key: 'alpha',
    label: 'Alpha',
    form: 'gain',
    meaning: '(mean(r) − beta × mean(b)) × 365, Jensen’s with a riskless rate of 0.',
  },
  { key: 'beta', label: 'Beta', form: 'ratio', meaning: 'cov(r, b) ÷ var(b) of the daily returns.' },
  { key: 'correlation', label: 'Correlation', form: 'ratio', meaning: 'Of the daily returns with the benchmark’s.' },
  {
    key: 'trackingError',
    label: 'Tracking error',
    form: 'share',
    meaning: 'Deviation of the differences of daily returns × √365.',
  },
  {
    key: 'informationRatio',
    label: 'Information ratio',
    form: 'ratio',
    meaning: 'Sharpe ratio of the differences of daily returns.',
  },
];

const ALL = [...RETURN_FIGURES, ...RISK_FIGURES, ...TRADE_FIGURES, ...DAY_FIGURES, ...MONEY_FIGURES];

const HEADLINE_KEYS = [
  'totalReturn',
  'cagr',
  'sharpe',
  'sortino',
  'maxDrawdown',
  'calmar',
  'volatility',
  'profitFactor',
  'winRate',
  'trades',
  'finalEquity',
  'netProfit',
  'fees',
  'exposureTime',
] as const;

export const HEADLINES: readonly Figure[] = HEADLINE_KEYS.map((key) => ALL.find((one) => one.key === key)!);

/** A figure ready to be shown; `reason` says why there is none. */
export interface ShownFigure {
  text: string;
  /** Exact decimals behind a rounded amount; null where the text is all there is. */
  exact: string | null;
  tone: 'gain' | 'loss' | null;
  reason: string | null;
}

export function show(metrics: PortfolioMetrics, { key, form }: Figure): ShownFigure {
  const value = metrics[key] as string | number | null;
  return shown(value, { form, asset: metrics.settlementAsset, reason: reasonFor(metrics, key) });
}

export function showAgainstBenchmark(metrics: PortfolioMetrics, key: keyof BenchmarkMetrics, form: Form): ShownFigure {
  const value = metrics.benchmark?.[key] as number | null | undefined;
  const reason = reasonFor(metrics, `benchmark.${key}`) ?? reasonFor(metrics, 'benchmark');
  return shown(value ?? null, { form, asset: metrics.settlementAsset, reason });
}

/** Figures that the benchmark has as well, by the same name. */
export const hasBenchmarkTwin = (
  key: string,
  { benchmark }: PortfolioMetrics,
): key is keyof BenchmarkMetrics & keyof PortfolioMetrics =>
  benchmark !== null && key in benchmark && key !== 'daily' && key !== 'drawdowns';

function shown(
  value: string | number | null,
  { form, asset, reason }: { form: Form; asset: string; reason: string | undefined },
): ShownFigure {
  if (value === null) return { text: '—', exact: null, tone: null, reason: reason ?? 'Undefined for this run.' };
  const number = Number(value);
  const hasTone = form === 'gain' || form === 'result';
  return {
    text: written(number, form, asset),
    exact: typeof value === 'string' ? `${value} ${asset}` : null,
    tone: !hasTone || number === 0 ? null : number > 0 ? 'gain' : 'loss',
    reason: null,
  };
}

function written(value: number, form: Form, asset: string): string {
  switch (form) {
    case 'share':
      return percent(value);
    case 'gain':
      return signedPercent(value);
    case 'ratio':
      return decimal(value, 3);
    case 'amount':
      return `${decimal(value)} ${asset}`;
    case 'result':
      return `${signed(value)} ${asset}`;
    case 'count':
      return decimal(value, 0);
    case 'days':
      return plural(value, 'day');
    case 'ms':
      return duration(value);
    case 'time':
      return minute(value);
    case 'day':
      return day(value);
  }
}
