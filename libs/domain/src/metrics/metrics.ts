import { isZero, sub, toNumber } from '../money';
import { benchmarkMetrics } from './benchmark';
import { dailySeries, flowsOf, type DailySeries } from './daily';
import { monthlyReturns, splitByPeriod } from './periods';
import { calmar } from './ratios';
import type { BenchmarkRecording } from './recording';
import { drawdownsOfSeries, returnFigures, rollingSharpe } from './return-figures';
import { splitByAgent, splitBySide, splitByToken } from './splits';
import { distribution, mean, undefinedFigure } from './statistics';
import { notionalOf, openPnl, outcomeOf, total, tradeFigures, type WhyAt } from './trade-figures';
import type { MeasuredRecording, PortfolioMetrics } from './types';

/** Crypto trades every day of the year. */
const PERIODS_PER_YEAR = 365;
/** Returns that a point of the rolling Sharpe ratio is made from. */
export const ROLLING_DAYS = 30;
const LASTS = 'The fall had not been made good when the run ended.';

export interface MetricsOptions {
  /** Buy and hold of this is measured beside the portfolio. */
  benchmark?: BenchmarkRecording;
  /** Returns a year that annual figures are scaled to; the returns are daily, so 365 unless told otherwise. */
  periodsPerYear?: number;
}

/**
 * All figures of a run, as defined in docs/metrics.md. Pure: the same recording gives the same figures.
 *
 * @throws RangeError when the recording contradicts its contract: days out of order, amounts that are no decimals
 */
export function computeMetrics(recording: MeasuredRecording, options: MetricsOptions = {}): PortfolioMetrics {
  const { benchmark, periodsPerYear = PERIODS_PER_YEAR } = options;
  const undefinedBecause: Record<string, string> = {};
  const whyAt: WhyAt = (path) => (reason) => {
    undefinedBecause[path] ??= reason;
  };
  const below =
    (prefix: string): WhyAt =>
    (path) =>
      whyAt(prefix + path);
  const series = dailySeries(recording);
  const trades = [...recording.trades].sort((a, b) => a.closedAt - b.closedAt);
  const figures = returnFigures(series, periodsPerYear, whyAt);
  const { startEquity } = recording;
  const byPeriod = (unit: 'day' | 'week' | 'month', name: string) =>
    splitByPeriod(unit, series, { startEquity, trades }, below(name));
  const sums = amounts(recording);
  const byMonth = byPeriod('month', 'byMonth');
  const measured = { startEquity, series, totalReturn: figures.totalReturn, periodsPerYear };
  explainSeries(series, whyAt);
  return {
    portfolio: recording.portfolio,
    settlementAsset: recording.settlementAsset,
    startsAt: recording.startsAt,
    endsAt: recording.endsAt,
    periodsPerYear,
    days: series.points.length,
    observations: recording.observations,
    ...sums,
    ...figures,
    ...observedDrawdown(recording, figures.cagr, whyAt),
    ...outcomeOf(trades, whyAt),
    ...tradeFigures(trades, whyAt),
    tradesPerDay: trades.length / series.points.length,
    ...exposure(recording, series, sums, whyAt),
    daily: series.points,
    drawdowns: drawdownsOfSeries(series),
    rollingSharpe: rollingSharpe(series, ROLLING_DAYS, periodsPerYear, whyAt('rollingSharpe[].sharpe')),
    monthlyReturns: monthlyReturns(byMonth, below('monthlyReturns')),
    distribution: distribution(series.points.map((point) => point.return)),
    byToken: splitByToken(recording, below('byToken')),
    bySide: splitBySide(recording, below('bySide')),
    byAgent: splitByAgent(recording, below('byAgent')),
    byDay: byPeriod('day', 'byDay'),
    byWeek: byPeriod('week', 'byWeek'),
    byMonth,
    benchmark:
      benchmark === undefined
        ? undefinedFigure(whyAt('benchmark'), 'No benchmark was given.')
        : benchmarkMetrics(benchmark, measured, below('benchmark.')),
    undefinedBecause,
  };
}

/**
 * Why the figure at a path is null, or undefined when it is not: `sharpe`, `byToken[0].profitFactor`,
 * `rollingSharpe[3].sharpe` (series have one reason for all of their rows).
 */
export function reasonFor(metrics: PortfolioMetrics, path: string): string | undefined {
  return metrics.undefinedBecause[path] ?? metrics.undefinedBecause[path.replaceAll(/\[\d+\]/g, '[]')];
}

type Amounts = ReturnType<typeof amounts>;

function amounts(recording: MeasuredRecording) {
  const flows = flowsOf(recording);
  return {
    fills: recording.fills.length,
    startEquity: recording.startEquity,
    finalEquity: recording.finalEquity,
    flows,
    netProfit: sub(sub(recording.finalEquity, recording.startEquity), flows),
    openPnl: total(recording.open.map(openPnl)),
    fees: total(recording.fills.map(({ fee }) => fee)),
    funding: total(recording.fundings.map(({ amount }) => amount)),
    turnover: total(recording.fills.map(notionalOf)),
  };
}

function observedDrawdown({ worst }: MeasuredRecording, cagr: number | null, whyAt: WhyAt) {
  if (worst === null) {
    const none = (name: string) =>
      undefinedFigure(whyAt(name), 'Observations of several portfolios were not added up while the run went on.');
    return {
      maxDrawdown: none('maxDrawdown'),
      maxDrawdownAmount: none('maxDrawdownAmount'),
      maxDrawdownPeakAt: none('maxDrawdownPeakAt'),
      maxDrawdownTroughAt: none('maxDrawdownTroughAt'),
      calmar: none('calmar'),
    };
  }
  const fell = worst.depth < 0;
  const never = 'The equity never fell below a peak.';
  return {
    maxDrawdown: worst.depth,
    maxDrawdownAmount: worst.amount,
    maxDrawdownPeakAt: fell ? worst.peakAt : undefinedFigure(whyAt('maxDrawdownPeakAt'), never),
    maxDrawdownTroughAt: fell ? worst.troughAt : undefinedFigure(whyAt('maxDrawdownTroughAt'), never),
    calmar: calmar(cagr, worst.depth, whyAt('calmar')),
  };
}

function exposure(recording: MeasuredRecording, { points }: DailySeries, sums: Amounts, whyAt: WhyAt) {
  const { startsAt, endsAt, exposedMs, meanExposure } = recording;
  const { turnover, fees } = sums;
  const several = 'Exposure of several portfolios was not added up while the run went on.';
  const meanEquity = mean([recording.startEquity, ...points.map(({ equity }) => equity)].map(toNumber)) ?? 0;
  const none = (name: string, reason: string) => undefinedFigure(whyAt(name), reason);
  return {
    exposureTime:
      exposedMs === null || endsAt <= startsAt
        ? none('exposureTime', exposedMs === null ? several : 'No time has passed.')
        : exposedMs / (endsAt - startsAt),
    meanExposure: meanExposure ?? none('meanExposure', several),
    maxExposureDaily: points.reduce((most, point) => Math.max(most, point.exposure), 0),
    turnoverRatio:
      meanEquity > 0 ? toNumber(turnover) / meanEquity : none('turnoverRatio', 'The mean equity is not above 0.'),
    feeRate: isZero(turnover) ? none('feeRate', 'Nothing was traded.') : toNumber(fees) / toNumber(turnover),
  };
}

function explainSeries({ points, returnsMissing, indexMissing }: DailySeries, whyAt: WhyAt): void {
  if (points.some((point) => point.return === null)) whyAt('daily[].return')(returnsMissing ?? '');
  if (points.some(({ index }) => index === null)) {
    whyAt('daily[].index')(indexMissing ?? '');
    whyAt('daily[].underwater')(indexMissing ?? '');
  }
  if (drawdownsOfSeries({ points, returnsMissing, indexMissing }).some(({ recoveryDay }) => recoveryDay === null)) {
    whyAt('drawdowns[].recoveryDay')(LASTS);
    whyAt('drawdowns[].recoveryDays')(LASTS);
  }
}
