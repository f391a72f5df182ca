import type { Command } from 'commander';
import { nearestName } from '@moon/infra';
import { CommandFailed, UsageError } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { chooseRun, withRunLog, type RunLog } from '../../store/run-log';
import { withStore } from '../../store/store';
import { portfolioNames, readPortfolio, type PortfolioView } from './read-portfolio';
import { portfolioData, renderPortfolio } from './render';

export function addPortfolioCommand(program: Command, io: Io): void {
  program
    .command('portfolio')
    .description('shows portfolios as the log tells them: money, positions, open orders, halts')
    .argument('[name]', 'only this one')
    .action((name: string | undefined, _options, command: Command) =>
      showPortfolios(io, name, command.optsWithGlobals()),
    );
}

async function showPortfolios(io: Io, name: string | undefined, options: GlobalOptions): Promise<void> {
  await withStore(io, { global: options, command: 'moon portfolio' }, async (store) => {
    const run = await chooseRun(store, options.run);
    await withRunLog(store, run, async (log) => {
      const views: PortfolioView[] = [];
      for (const portfolio of await wanted(log, name)) {
        const view = await readPortfolio(log.events, portfolio);
        if (view) views.push(view);
      }
      if (options.json) {
        io.out(JSON.stringify({ run: run.runId, portfolios: views.map(portfolioData) }));
        return;
      }
      io.err(`Run ${run.runId}${run.status === 'finished' ? ' (finished)' : ''}`);
      views.forEach((view, index) => {
        if (index > 0) io.out('');
        for (const line of renderPortfolio(view)) io.out(line);
      });
    });
  });
}

async function wanted({ run, events }: RunLog, name: string | undefined): Promise<string[]> {
  const names = await portfolioNames(events);
  if (names.length === 0)
    throw new CommandFailed(
      `Run ${run.runId} has no portfolios${run.mode === 'imported' ? ': it is an imported log' : ' yet'}.`,
    );
  return name === undefined ? names : [knownPortfolio(names, name)];
}

/** @throws UsageError with the nearest name when there is no such portfolio */
export function knownPortfolio(names: readonly string[], name: string): string {
  if (names.includes(name)) return name;
  const nearest = nearestName(name, names);
  throw new UsageError(
    `There is no portfolio "${name}". ${nearest === null ? `Portfolios: ${names.join(', ')}.` : `Did you mean "${nearest}"?`}`,
  );
}
