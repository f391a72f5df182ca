import type { Command } from 'commander';
import { EXIT, UsageError } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { loadBacktest } from '../backtest/load';
import { renderCheck } from './render';
import { runCheck } from './run-check';

interface CheckOptions extends GlobalOptions {
  config?: string;
  from?: string[];
  set?: string[];
  cuts: string;
  seed: string;
  allowUnmoved: boolean;
}

export function addLookaheadCheckCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('lookahead-check')
    .description('finds agents and strategies that decide by what they cannot know yet')
    .option('--config <file>', 'the backtest, required; as for "moon backtest"')
    .option('--from <files...>', 'recorded files in place of those of the configuration')
    .option('--set <setting...>', 'any setting, e.g. --set venue.fees.takerBps=5')
    .option('--cuts <number>', 'at how many instants the data are cut', '4')
    .option('--seed <text>', 'chooses the instants', 'moon')
    .option('--allow-unmoved', 'a strategy may decide the same on other prices, e.g. by the calendar', false)
    .addHelpText(
      'after',
      '\nThe backtest is played on all of its data, then on data that end at several instants and on data with other prices from there\non: what was decided before must be the same. Exit code: 0 nothing found, 1 found, or a strategy failed.',
    )
    .action((_options, command: Command) => check(io, command.optsWithGlobals(), exit));
}

async function check(io: Io, options: CheckOptions, exit: (code: number) => void): Promise<void> {
  const cuts = Number(options.cuts);
  if (!Number.isInteger(cuts) || cuts < 1 || cuts > 100)
    throw new UsageError(`--cuts ${options.cuts}: expected a whole number from 1 to 100.`);
  const { config: path, from, set } = options;
  if (path === undefined) throw new UsageError('Give --config FILE: the backtest.');
  const { config, folder } = loadBacktest(io, { config: path, ...(from && { from }), ...(set && { set }) });
  if (config.data.files.length === 0)
    throw new UsageError('Name the recorded files: --from FILE, or "data.files" of the configuration.');
  const job = { id: 'lookahead-check', config, folder, codeVersion: 'check', commit: null };
  const result = await runCheck(
    { job, resources: { store: null }, cuts, seed: options.seed },
    {
      onNotice: (message) => io.err(message),
      onRun: (done, total) => io.terminal && io.err(`Run ${done} of ${total} …`),
      signal: io.signal,
    },
  );
  if (options.json) io.out(JSON.stringify(result));
  else for (const line of renderCheck(result)) io.out(line);
  const isUnmoved = !options.allowUnmoved && result.handlers.some(({ verdict }) => verdict === 'unmoved');
  if (result.isPeeking || isUnmoved || result.failures.length > 0) exit(EXIT.failed);
}
