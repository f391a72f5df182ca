import { parentPort, workerData } from 'node:worker_threads';
import { checkLookahead, StrategyWatch, type StrategyFailures } from '@moon/backtesting';
import { openInputs } from '../backtest/open-inputs';
import { playBacktest, type BacktestParts } from './play-backtest';
import type { CheckResult, CheckStart, FromCheck } from './protocol';

/** The thread of a check: all its runs, one after the other, so that what one leaves behind the next could find. */
async function check(say: (message: FromCheck) => void): Promise<CheckResult> {
  const { job, resources, cuts, seed, strategyMemory } = workerData as CheckStart;
  let failures: readonly StrategyFailures[] | null = null;
  const parts: BacktestParts = {
    job,
    openInputs: (request) => openInputs(request, resources, (message) => say({ kind: 'notice', message })),
    strategyWatch: new StrategyWatch(strategyMemory),
    onFailures: (found) => (failures ??= found),
  };
  const report = await checkLookahead({
    cuts,
    seed,
    play: (change, observer) => playBacktest(parts, change, observer),
    onRun: (done, total) => say({ kind: 'run', done, total }),
  });
  return { ...report, failures: [...(failures ?? [])] };
}

const port = parentPort;
if (!port) throw new Error('lookahead.worker runs in a worker thread only.');
const say = (message: FromCheck): void => port.postMessage(message);
check(say)
  .then(
    (result) => say({ kind: 'done', result }),
    (error: unknown) => say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  )
  .finally(() => port.close());
