export { ledgerBalance, type LedgerBalance } from './balance';
export { alpha, beta, correlation, type BenchmarkMetrics } from './benchmark';
export { combineRecordings, type Combined } from './combine';
export { CurveSampler } from './curve-sampler';
export { everyDay, type DailyPoint } from './daily';
export { DrawdownWatch } from './drawdown-watch';
export { drawdownSeries, drawdownsOf, maxDrawdown, ulcerIndex, type Drawdown } from './drawdowns';
export { computeMetrics, reasonFor, ROLLING_DAYS, type MetricsOptions } from './metrics';
export type { MonthlyReturns, PeriodRow } from './periods';
export {
  annualReturn,
  calmar,
  compoundAnnualGrowth,
  conditionalValueAtRisk,
  downsideRisk,
  omega,
  profitFactor,
  returnsOf,
  sharpe,
  sortino,
  tailRatio,
  totalReturn,
  valueAtRisk,
  volatility,
  winRate,
  yearsBetween,
} from './ratios';
export type {
  BenchmarkRecording,
  ClosedTrade,
  DayClose,
  EquityPoint,
  ObservedDrawdown,
  OpenPosition,
  PortfolioRecording,
  RecordedFill,
  RecordedFunding,
  TradeOrigin,
} from './recording';
export type { AgentRow, SplitRow } from './splits';
export {
  deviation,
  distribution,
  kurtosis,
  mean,
  quantile,
  skewness,
  type DistributionBin,
  type Returns,
  type Why,
} from './statistics';
export type { Outcome, TradeFigures } from './trade-figures';
export type { MeasuredRecording, PortfolioMetrics, ReturnFigures } from './types';
