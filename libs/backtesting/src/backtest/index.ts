export { backtestConfigSchema, BacktestRefused, type BacktestConfig } from './config';
export type { BacktestInputs, InputRequest, OpenInputs } from './inputs';
export { assertCovered, planOf, rangeOf, type BacktestPlan, type Range } from './plan';
export {
  runBacktest,
  type BacktestHooks,
  type BacktestJob,
  type BacktestOutcome,
  type BacktestProgress,
} from './run-backtest';
