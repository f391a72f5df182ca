import type { Decimal } from '../money';
import type { BenchmarkMetrics } from './benchmark';
import type { DailyPoint } from './daily';
import type { Drawdown } from './drawdowns';
import type { MonthlyReturns, PeriodRow } from './periods';
import type { ObservedDrawdown, PortfolioRecording } from './recording';
import type { AgentRow, SplitRow } from './splits';
import type { DistributionBin } from './statistics';
import type { Outcome, TradeFigures } from './trade-figures';

/** A recording, or the total of several, of which some things cannot be known afterwards: those are null. */
export interface MeasuredRecording extends Omit<PortfolioRecording, 'worst' | 'exposedMs' | 'meanExposure'> {
  worst: ObservedDrawdown | null;
  exposedMs: number | null;
  meanExposure: number | null;
}

/**
 * Every figure of a run. docs/metrics.md has formula, unit and source of each field, and when it is undefined: null
 * then, with the reason in `undefinedBecause` under its path, e.g. `sharpe` or `byToken[0].profitFactor`; `[]` stands
 * for all rows of a series. Ledger sums are exact decimals in the settlement asset; ratios are float64 shares.
 */
export interface PortfolioMetrics extends ReturnFigures, Outcome, TradeFigures {
  portfolio: string;
  settlementAsset: string;
  startsAt: number;
  endsAt: number;
  periodsPerYear: number;
  days: number;
  observations: number;
  fills: number;

  startEquity: Decimal;
  finalEquity: Decimal;
  flows: Decimal;
  netProfit: Decimal;
  openPnl: Decimal;
  fees: Decimal;
  funding: Decimal;
  turnover: Decimal;

  maxDrawdown: number | null;
  maxDrawdownAmount: number | null;
  maxDrawdownPeakAt: number | null;
  maxDrawdownTroughAt: number | null;
  calmar: number | null;

  tradesPerDay: number;
  exposureTime: number | null;
  meanExposure: number | null;
  maxExposureDaily: number;
  turnoverRatio: number | null;
  feeRate: number | null;

  daily: DailyPoint[];
  drawdowns: Drawdown[];
  rollingSharpe: { day: number; sharpe: number | null }[];
  monthlyReturns: MonthlyReturns[];
  distribution: DistributionBin[];
  byToken: SplitRow[];
  bySide: SplitRow[];
  byAgent: AgentRow[];
  byDay: PeriodRow[];
  byWeek: PeriodRow[];
  byMonth: PeriodRow[];
  benchmark: BenchmarkMetrics | null;

  undefinedBecause: Record<string, string>;
}

/** Figures of the daily flow-adjusted returns. */
export interface ReturnFigures {
  totalReturn: number | null;
  cagr: number | null;
  volatility: number | null;
  downsideRisk: number | null;
  sharpe: number | null;
  sortino: number | null;
  omega: number | null;
  skew: number | null;
  kurtosis: number | null;
  meanDay: number | null;
  bestDay: number | null;
  worstDay: number | null;
  valueAtRisk: number | null;
  conditionalValueAtRisk: number | null;
  tailRatio: number | null;
  maxDrawdownDaily: number | null;
  calmarDaily: number | null;
  ulcerIndex: number | null;
  longestDrawdownDays: number | null;
  underwaterTime: number | null;
  winDays: number;
  lossDays: number;
  winRateDays: number | null;
  profitFactorDays: number | null;
  averageWinDays: number | null;
  averageLossDays: number | null;
  payoffRatioDays: number | null;
  longestWinStreakDays: number;
  longestLossStreakDays: number;
}
