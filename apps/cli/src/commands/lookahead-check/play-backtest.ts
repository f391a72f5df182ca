import {
  changedInputs,
  runBacktest,
  type BacktestJob,
  type InputChange,
  type OpenInputs,
  type RunObserver,
  type StrategyFailures,
  type StrategyWatch,
} from '@moon/backtesting';

/** What one run of the check needs beside its change. */
export interface BacktestParts {
  job: BacktestJob;
  openInputs: OpenInputs;
  strategyWatch?: StrategyWatch;
  onFailures: (failures: readonly StrategyFailures[]) => void;
}

/** Plays a backtest as `moon backtest` does, on its data under a change. */
export async function playBacktest(parts: BacktestParts, change: InputChange, observer: RunObserver): Promise<void> {
  const { job, openInputs, strategyWatch, onFailures } = parts;
  const { input, strategyFailures } = await runBacktest(job, {
    openInputs: async (request) => {
      const inputs = await openInputs(request);
      return { ...inputs, source: changedInputs(inputs.source, change) };
    },
    // The archive of a run is given every one of its events, and is made anew when the run begins once more.
    archive: () => {
      observer.began();
      return { append: ({ event }) => observer.saw(event) };
    },
    ...(strategyWatch && { strategyWatch }),
  });
  if (input.run.status !== 'complete')
    throw new Error(`A run of the check did not come to its end: ${input.run.statusReason}`);
  onFailures(strategyFailures);
}
