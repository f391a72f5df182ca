import { computeMetrics, type BenchmarkRecording, type PortfolioMetrics, type PortfolioRecording } from '@moon/domain';
import type { DataQuality, DecisionLog, ReportCandles, ReportInput, RunFacts } from './report-input';

/** Raised when a field is renamed, removed or changes its meaning; new fields do not raise it. */
export const REPORT_VERSION = 1;

/** The report as JSON; docs/backtest-report.schema.json describes it. Everything else is drawn from it. */
export interface BacktestReport {
  reportVersion: typeof REPORT_VERSION;
  run: RunFacts;
  portfolios: PortfolioReport[];
  benchmark: BenchmarkRecording | null;
  candles: ReportCandles[];
  decisions: DecisionLog;
  dataQuality: DataQuality;
}

export interface PortfolioReport {
  recording: PortfolioRecording;
  /** Every figure of the portfolio; null where undefined, with the reason in `undefinedBecause`. */
  metrics: PortfolioMetrics;
}

/**
 * The report of a run. Pure: the same input gives the same report.
 *
 * @throws RangeError when a recording contradicts its contract, see `computeMetrics`
 */
export function buildReport({ portfolios, ...rest }: ReportInput): BacktestReport {
  const options = rest.benchmark === null ? {} : { benchmark: rest.benchmark };
  return {
    reportVersion: REPORT_VERSION,
    ...rest,
    portfolios: portfolios.map((recording) => ({ recording, metrics: computeMetrics(recording, options) })),
  };
}
