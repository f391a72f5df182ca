import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StrategyWatch } from '@moon/backtesting';
import { CommandFailed } from '../../errors';
import type { CheckResult, CheckStart, FromCheck } from './protocol';

export interface CheckHooks {
  onNotice: (message: string) => void;
  onRun: (done: number, total: number) => void;
  signal: AbortSignal;
}

/** Wall ms between two looks at the strategies. */
const LOOK_EVERY_MS = 250;

/**
 * Runs a check in a thread of its own, with the watchdog here: a strategy that never returns ends it.
 *
 * @throws CommandFailed when the check could not be done, was stopped, or a strategy did not return
 */
export async function runCheck(start: Omit<CheckStart, 'strategyMemory'>, hooks: CheckHooks): Promise<CheckResult> {
  const strategyMemory = StrategyWatch.memory();
  const watch = new StrategyWatch(strategyMemory);
  const { watchdogMs, strategies } = start.job.config;
  const worker = new Worker(join(__dirname, 'lookahead.worker.js'), {
    workerData: { ...start, strategyMemory },
    // Nothing of this process's environment is a strategy's business.
    env: {},
  });
  let look: NodeJS.Timeout | null = null;
  try {
    return await new Promise<CheckResult>((resolve, reject) => {
      const fail = (message: string): void => reject(new CommandFailed(message));
      worker.on('message', (message: FromCheck) => {
        if (message.kind === 'notice') hooks.onNotice(message.message);
        else if (message.kind === 'run') hooks.onRun(message.done, message.total);
        else if (message.kind === 'done') resolve(message.result);
        else fail(message.message);
      });
      worker.on('error', (error) => fail(`The thread of the check died: ${error.message}`));
      worker.on('exit', () => fail('The thread of the check ended before it had a result.'));
      look = setInterval(() => {
        const hung = watch.hung(performance.now(), watchdogMs);
        if (hung)
          fail(
            `A strategy (${strategies.map(({ path }) => path).join(', ')}) has not returned for ${watchdogMs} ms from an event of ${new Date(hung.eventTime).toISOString()}; the check was ended.`,
          );
      }, LOOK_EVERY_MS);
      const stopped = (): void => fail('The check was stopped; it has no result.');
      if (hooks.signal.aborted) stopped();
      hooks.signal.addEventListener('abort', stopped, { once: true });
    });
  } finally {
    if (look !== null) clearInterval(look);
    await worker.terminate();
  }
}
