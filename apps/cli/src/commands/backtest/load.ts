import { dirname, resolve } from 'node:path';
import { backtestConfigSchema, type BacktestConfig } from '@moon/backtesting';
import { ConfigError, loadConfig, type ConfigSources } from '@moon/infra';
import { UsageError } from '../../errors';
import type { Io } from '../../io';

export interface BacktestFlags {
  config?: string;
  from?: string[];
  start?: string;
  end?: string;
  set?: string[];
  run?: string;
}

/** A backtest as it was asked for, and what its relative paths start from. */
export interface LoadedBacktest {
  config: BacktestConfig;
  folder: string;
}

const PREFIX = 'MOON_BACKTEST__';

/** Reads file, environment (MOON_BACKTEST__…) and flags. @throws UsageError that says everything that is wrong with them */
export function loadBacktest({ cwd, env }: Pick<Io, 'cwd' | 'env'>, flags: BacktestFlags): LoadedBacktest {
  const file = flags.config === undefined ? undefined : resolve(cwd, flags.config);
  const given: Record<string, unknown> = {
    'range.start': flags.start,
    'range.end': flags.end,
    // Named on the command line: relative to where it was called, not to the configuration.
    'data.files': flags.from?.map((name) => resolve(cwd, name)),
    'data.run': flags.run,
  };
  const config = load({
    ...(file !== undefined && { file }),
    env: settingsOf(env),
    flags: given,
    set: settings(flags.set ?? []),
  });
  if (flags.from !== undefined && flags.run === undefined) delete config.data.run;
  if (flags.run !== undefined && flags.from === undefined) config.data.files = [];
  const { files, run } = config.data;
  if (files.length > 0 && run !== undefined)
    throw new UsageError(`The data come either from files or from run "${run}" of the store; name one of them.`);
  if (files.length === 0 && run === undefined)
    throw new UsageError(
      'There are no data to run on: name files with --from FILE…, or a run of the store with --run.',
    );
  return { config, folder: file === undefined ? cwd : dirname(file) };
}

function load(sources: ConfigSources): BacktestConfig {
  try {
    return loadConfig(backtestConfigSchema, sources);
  } catch (error) {
    if (error instanceof ConfigError)
      throw new UsageError(`The configuration cannot be used: ${error.problems.join(' ')}`);
    throw error;
  }
}

function settings(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const separator = assignment.indexOf('=');
      if (separator < 1)
        throw new UsageError(`--set ${assignment}: expected NAME=VALUE, e.g. --set platform.consensus.threshold=65.`);
      return [assignment.slice(0, separator), assignment.slice(separator + 1)];
    }),
  );
}

/** Settings of backtests alone: what is set for `npm start` on the same machine is none of theirs. */
function settingsOf(env: Io['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(PREFIX) && value !== undefined ? [[`MOON_${name.slice(PREFIX.length)}`, value]] : [],
    ),
  );
}
