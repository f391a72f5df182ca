import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { ConfigError, loadConfig, redisProblems } from '@moon/infra';
import { clusterConfigSchema, type ClusterConfig } from './config';
import { checkPasswords } from './store-access';

/** Reads flags, environment and file of one application; an unknown flag ends the process with code 2. @throws ConfigError */
export function readClusterOptions(app: string, argv: readonly string[], env: NodeJS.ProcessEnv): ClusterConfig {
  const program = new Command(`moon start ${app}`)
    .description(`Runs ${app} as a process of the distributed platform.`)
    .option('--config <file>', 'settings as YAML or JSON (default: $MOON_CONFIG)')
    .option('--port <port>', 'port of health and status')
    .option('--instance <name>', 'name of this process among its like')
    .option('--only <groups>', 'groups that it hosts, e.g. agent.chart,agent.trading')
    .option('--log-level <level>', 'least level that is logged')
    .option('--set <setting...>', 'any setting, e.g. --set kafka.brokers=host:9092')
    .allowExcessArguments(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  program.parse(argv, { from: 'user' });
  const given = program.opts<Record<string, string | string[] | undefined>>();
  const set: Record<string, string> = {};
  for (const setting of (given.set as string[] | undefined) ?? []) {
    const separator = setting.indexOf('=');
    if (separator < 1) throw new ConfigError([`--set ${setting}: expected NAME=VALUE, e.g. --set shards=3.`]);
    set[setting.slice(0, separator)] = setting.slice(separator + 1);
  }
  const flags = { port: given.port, instance: given.instance, only: listOf(given.only), logLevel: given.logLevel };
  const file = (given.config as string | undefined) ?? env.MOON_CONFIG;
  const config = loadConfig(clusterConfigSchema, { file, env, flags, set });
  if (config.clock.pace !== 1 && (config.clock.origin === 0 || config.feed.kind !== 'synthetic')) {
    throw new ConfigError([
      '"clock.pace" other than 1 needs "clock.origin" (the same in all processes) and "feed.kind" synthetic.',
    ]);
  }
  const problems = redisProblems(config.redis);
  if (problems.length > 0) throw new ConfigError(problems);
  checkPasswords(config);
  return config;
}

/** Version of the code, as `config.activated` records it. */
export function codeVersion(): string {
  const text = readFileSync(join(__dirname, '..', '..', '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function listOf(text: string | string[] | undefined): string[] | undefined {
  return typeof text === 'string' ? text.split(',').map((name) => name.trim()) : text;
}
