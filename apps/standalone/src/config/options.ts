import { Command } from 'commander';
import { ConfigError, loadConfig, utcInstant } from '@moon/infra';
import { standaloneConfigSchema, type StandaloneConfig } from './standalone-config';

/** How this start behaves beside its configuration. */
export interface StartOptions {
  config: StandaloneConfig;
  /** Ends by itself when a recorded run has come to the end of its data. */
  exit: boolean;
  /** Prints one JSON line at the end, and nothing else, on standard output. */
  json: boolean;
}

/** Reads flags, environment and file; an unknown flag ends the process with code 2. @throws ConfigError */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const program = new Command('npm start --')
    .description('Runs the whole platform in one process on embedded parts.')
    .option('--config <file>', 'settings as YAML or JSON (default: $MOON_CONFIG)')
    .option('--port <port>', 'HTTP port on 127.0.0.1')
    .option('--data-dir <folder>', 'folder of database, logs and venue books')
    .option('--feed <kind>', 'auto, hyperliquid, synthetic or recorded')
    .option('--from <files...>', 'recorded files, each FILE or FILE@VENUE')
    .option('--speed <speed>', 'pace of recorded files: 1, 10 or max')
    .option('--ticks <ticks>', 'recorded candles as ticks: ohlc, or none (bars)')
    .option('--start <instant>', 'recorded: first instant, ISO 8601')
    .option('--end <instant>', 'recorded: end (exclusive), ISO 8601')
    .option('--seed <number>', 'seed of the synthetic feed')
    .option('--log-level <level>', 'least level that is logged')
    .option('--set <setting...>', 'any setting, e.g. --set platform.consensus.threshold=65')
    .option('--exit', 'end at the end of the recorded data', false)
    .option('--json', 'print the result as one JSON line', false)
    .allowExcessArguments(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  program.parse(argv, { from: 'user' });
  const given = program.opts<Record<string, string | string[] | boolean | undefined>>();
  const flags: Record<string, unknown> = {
    port: given.port,
    dataDir: given.dataDir,
    logLevel: given.logLevel,
    'feed.kind': given.feed ?? (given.from === undefined ? undefined : 'recorded'),
    'feed.from': given.from,
    'feed.speed': given.speed,
    'feed.ticks': given.ticks,
    'feed.start': given.start,
    'feed.end': given.end,
    'feed.seed': given.seed,
  };
  const set: Record<string, string> = {};
  for (const setting of (given.set as string[] | undefined) ?? []) {
    const separator = setting.indexOf('=');
    if (separator < 1)
      throw new ConfigError([`--set ${setting}: expected NAME=VALUE, e.g. --set platform.consensus.threshold=65.`]);
    set[setting.slice(0, separator)] = setting.slice(separator + 1);
  }
  const file = (given.config as string | undefined) ?? env.MOON_CONFIG;
  const config = loadConfig(standaloneConfigSchema, { file, env, flags, set });
  const problems = problemsOfFeed(config.feed);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    config,
    exit: given.exit === true,
    json: given.json === true,
  };
}

/** What the schema cannot say about a recorded feed: it needs files, and a range in UTC that is not empty. */
function problemsOfFeed({ kind, from, start, end }: StandaloneConfig['feed']): string[] {
  if (kind !== 'recorded') return [];
  const problems = from.length === 0 ? ['A recorded run needs files: --from FILE…'] : [];
  for (const [name, text] of Object.entries({ start, end })) {
    if (text !== undefined && utcInstant(text) === null)
      problems.push(
        `"feed.${name}" is "${text}": expected an instant in UTC, such as 2021-05-19, 2021-05-19T12:00:00Z or milliseconds.`,
      );
  }
  const [first, last] = [utcInstant(start ?? ''), utcInstant(end ?? '')];
  if (first !== null && last !== null && last <= first)
    problems.push(`"feed.end" (${end}) must be after "feed.start" (${start}).`);
  return problems;
}
