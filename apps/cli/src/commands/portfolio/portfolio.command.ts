import type { Command } from 'commander';
import { nearestName } from '@moon/infra';
import { CommandFailed, UsageError } from '../../errors';
import { withReadLog } from '../../cluster/read-log';
import { addClusterOptions, type ClusterOptions } from '../../cluster/settings';
import type { Io } from '../../io';
import { nameOf, type ReadLog } from '../../store/run-log';
import { portfolioNames, readPortfolio, type PortfolioView } from './read-portfolio';
import { portfolioData, renderPortfolio } from './render';

export function addPortfolioCommand(program: Command, io: Io): void {
  const command = program
    .command('portfolio')
    .description('shows portfolios as the log tells them: money, positions, open orders, halts')
    .argument('[name]', 'only this one')
    .action((name: string | undefined, _options, self: Command) => showPortfolios(io, name, self.optsWithGlobals()));
  addClusterOptions(command);
}

async function showPortfolios(io: Io, name: string | undefined, options: ClusterOptions): Promise<void> {
  await withReadLog(io, { options, command: 'moon portfolio' }, async (log) => {
    const views: PortfolioView[] = [];
    for (const portfolio of await wanted(log, name)) {
      const view = await readPortfolio(log, portfolio);
      if (view) views.push(view);
    }
    if (options.json) {
      io.out(JSON.stringify({ run: log.run.runId, portfolios: views.map(portfolioData) }));
      return;
    }
    io.err(`${nameOf(log)}${log.run.status === 'finished' ? ' (finished)' : ''}`);
    views.forEach((view, index) => {
      if (index > 0) io.out('');
      for (const line of renderPortfolio(view)) io.out(line);
    });
  });
}

async function wanted(log: ReadLog, name: string | undefined): Promise<string[]> {
  const names = await portfolioNames(log.events);
  if (names.length === 0)
    throw new CommandFailed(
      `${nameOf(log)} has no portfolios${log.run.mode === 'imported' ? ': it is an imported log' : ' yet'}.`,
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
