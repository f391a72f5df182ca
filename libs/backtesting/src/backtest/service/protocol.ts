import type { BacktestFiles } from '../files';
import type { BacktestJob, BacktestOutcome } from '../run-backtest';
import type { BacktestSummary } from '../summary';
import type { SpoolRequest } from './spool';

/** Where a run stands, in memory that both threads see: phase, events so far, time of the newest, share of the range. */
export const PROGRESS = { phase: 0, events: 1, at: 2, share: 3, length: 4 } as const;
export const PHASES = ['opening', 'replaying', 'reporting'] as const;

/** What a thread is started with. */
export interface WorkerStart {
  job: BacktestJob;
  progress: SharedArrayBuffer;
  strategyMemory: SharedArrayBuffer;
  /** Whether the files of the report are wanted. */
  withFiles: boolean;
  /** Where the run's events go; null = nowhere. */
  spool: SpoolRequest | null;
  /** For the app's own part of the thread, e.g. how the store is reached. */
  resources: unknown;
}

/** What a thread is told while it runs: to end after the present input. */
export type ToWorker = 'stop';

export type FromWorker =
  | { kind: 'notice'; message: string }
  | { kind: 'done'; result: BacktestResult }
  /** `isRefusal`: it could not be run as it was asked for; the message says whole why. */
  | { kind: 'failed'; isRefusal: boolean; message: string; stack: string };

/** What a backtest gives back. */
export interface BacktestResult extends Omit<BacktestOutcome, 'input'> {
  /** What is told of the run in its report. The rest of what the report was made from stays in the thread: it is large. */
  run: BacktestOutcome['input']['run'];
  summary: BacktestSummary;
  /** The report's files; null when they were not asked for. */
  files: BacktestFiles | null;
  /** The run's events on file; null when they were not asked for. `failure` says why the file is not whole. */
  spool: { path: string; events: number; failure: string | null } | null;
}
