import { parentPort, workerData } from 'node:worker_threads';
import { UserAgentError } from '@moon/kernel';
import { StrategyWatch } from '../../strategies';
import { BacktestRefused } from '../config';
import { makeFiles, reportOf } from '../files';
import type { OpenInputs } from '../inputs';
import { runBacktest } from '../run-backtest';
import { summaryOf } from '../summary';
import { PHASES, PROGRESS, type BacktestResult, type FromWorker, type WorkerStart } from './protocol';
import { EventSpool } from './spool';

/** What an app gives to the threads of its backtests. */
export interface WorkerParts {
  /** @param resources what the service was given for its threads @param notice told to the person who asked for the run */
  openInputs(resources: unknown, notice: (message: string) => void): OpenInputs;
  /** Errors whose message says whole what is wrong with what was asked for. */
  isRefusal(error: unknown): boolean;
}

/**
 * The whole of a backtest's thread (rule 31): runs the one job that it was started with and answers once. To be called by a
 * worker's entry file, which knows where data come from.
 */
export function serveBacktest(parts: WorkerParts): void {
  const port = parentPort;
  if (!port) throw new Error('serveBacktest runs in a worker thread only.');
  const start = workerData as WorkerStart;
  const stop = new AbortController();
  port.on('message', () => stop.abort());
  const say = (message: FromWorker): void => port.postMessage(message);
  run(start, parts, stop.signal, (message) => say({ kind: 'notice', message }))
    .then(
      (result) => say({ kind: 'done', result }),
      (error: unknown) => {
        const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
        const isRefusal = error instanceof BacktestRefused || error instanceof UserAgentError || parts.isRefusal(error);
        say({ kind: 'failed', isRefusal, message, stack });
      },
    )
    .finally(() => port.close());
}

async function run(
  { job, progress, strategyMemory, withFiles, spool: wanted, resources }: WorkerStart,
  parts: WorkerParts,
  signal: AbortSignal,
  notice: (message: string) => void,
): Promise<BacktestResult> {
  const shared = new Float64Array(progress);
  const strategyWatch = new StrategyWatch(strategyMemory);
  let spool: EventSpool | null = null;
  try {
    const { input, ...outcome } = await runBacktest(job, {
      openInputs: parts.openInputs(resources, notice),
      signal,
      strategyWatch,
      onProgress: ({ phase, events, at, share }) => {
        shared[PROGRESS.phase] = PHASES.indexOf(phase);
        shared[PROGRESS.events] = events;
        shared[PROGRESS.at] = at;
        shared[PROGRESS.share] = share;
      },
      ...(wanted && {
        archive: () => {
          spool?.close();
          return (spool = new EventSpool(wanted));
        },
      }),
    });
    shared[PROGRESS.phase] = PHASES.indexOf('reporting');
    const report = reportOf(input);
    const { run: about } = input;
    if (report.run.status === 'complete')
      for (const name of strategyWatch.silent) notice(`Strategy ${name} emitted no signal in the whole run.`);
    const spooled = closed(spool, wanted);
    spool = null;
    return {
      ...{ run: about, ...outcome, summary: summaryOf(report, outcome), spool: spooled },
      files: withFiles ? makeFiles(report) : null,
    };
  } finally {
    closed(spool, wanted);
  }
}

function closed(spool: EventSpool | null, wanted: WorkerStart['spool']): BacktestResult['spool'] {
  if (!spool || !wanted) return null;
  spool.close();
  return { path: wanted.path, events: spool.count, failure: spool.failure?.message ?? null };
}
