import type { BacktestJob, LookaheadReport, StrategyFailures } from '@moon/backtesting';
import type { InputResources } from '../backtest/open-inputs';

/** What the thread of a check is started with. */
export interface CheckStart {
  job: BacktestJob;
  resources: InputResources;
  cuts: number;
  seed: string;
  /** Where the strategies say that they are at work. */
  strategyMemory: SharedArrayBuffer;
}

export interface CheckResult extends LookaheadReport {
  /** Strategies that failed in the run on all data. */
  failures: StrategyFailures[];
}

export type FromCheck =
  | { kind: 'notice'; message: string }
  | { kind: 'run'; done: number; total: number }
  | { kind: 'done'; result: CheckResult }
  | { kind: 'failed'; message: string };
