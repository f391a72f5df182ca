export { backtestConfigSchema, BacktestRefused, type BacktestConfig } from './config';
export { FILE_NAMES, sha256, type BacktestFiles } from './files';
export type { BacktestInputs, InputRequest, OpenInputs } from './inputs';
export { runBacktest, type BacktestHooks, type BacktestJob, type BacktestOutcome } from './run-backtest';
export {
  BacktestHung,
  BacktestService,
  type BacktestRequest,
  type BacktestServiceOptions,
  type RunningBacktest,
} from './service/backtest-service';
export type { BacktestResult } from './service/protocol';
export { serveBacktest, type WorkerParts } from './service/serve-backtests';
export type { SpoolRequest } from './service/spool';
export type { BacktestSummary } from './summary';
