import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { checkPasswords, clusterConfigSchema, type ClusterConfig } from '@moon/cluster';
import { ConfigError, loadConfig, redisProblems } from '@moon/infra';
import { UsageError } from '../errors';
import type { GlobalOptions, Io } from '../io';

/** What says where a deployment is. */
export interface ClusterOptions extends GlobalOptions {
  cluster?: boolean;
  stack?: string;
  config?: string;
  set?: string[];
}

/** Gives a command the options by which it looks at a deployment of many processes instead of a data directory. */
export function addClusterOptions(command: Command, hasConfig = false): Command {
  command
    .option('--cluster', 'look at a deployment of many processes; it is found by the settings of its processes')
    .option('--stack <folder>', 'the deployment on the servers of "npm run stack" in this folder; means --cluster')
    .option('--set <setting...>', 'with --cluster: any setting, e.g. --set postgres.database=moon');
  return hasConfig ? command : command.option('--config <file>', 'with --cluster: its settings (default: MOON_CONFIG)');
}

export const isCluster = ({ cluster, stack }: ClusterOptions): boolean => cluster === true || stack !== undefined;

/**
 * Settings as the processes of the deployment read them.
 *
 * @param isPreparing for "moon store prepare", which may have other passwords than a process
 * @throws UsageError, ConfigError that name what is wrong
 */
export function clusterConfigOf(
  { cwd, env }: Pick<Io, 'cwd' | 'env'>,
  options: ClusterOptions,
  isPreparing = false,
): ClusterConfig {
  const { stack, config = env.MOON_CONFIG } = options;
  const set: Record<string, string> = {};
  for (const setting of options.set ?? []) {
    const separator = setting.indexOf('=');
    if (separator < 1) throw new UsageError(`--set ${setting}: expected NAME=VALUE, e.g. --set shards=3.`);
    set[setting.slice(0, separator)] = setting.slice(separator + 1);
  }
  const given = loadConfig(clusterConfigSchema, {
    env: { ...env, ...(stack !== undefined && stackSettings(resolve(cwd, stack))) },
    set,
    ...(config !== undefined && { file: resolve(cwd, config) }),
  });
  const problems = redisProblems(given.redis);
  if (problems.length > 0) throw new ConfigError(problems);
  checkPasswords(given, isPreparing);
  return given;
}

interface StackFile {
  kafka?: { brokers: string[] };
  postgres?: { hosts: { host: string; port: number }[]; superuser: string; password: string; patroni: string[] };
  redis?: { sentinels: { host: string; port: number }[]; name: string };
}

/**
 * Environment variables that lead to the servers of a stack: the same as `npm run start:distributed` hands to its processes.
 *
 * @throws UsageError when no stack is there
 */
export function stackSettings(folder: string): Record<string, string> {
  const file = join(folder, 'stack.json');
  if (!existsSync(file))
    throw new UsageError(
      `--stack: ${file} is not there. Start the servers with "npm run stack -- start", or name their folder.`,
    );
  const { kafka, postgres, redis } = JSON.parse(readFileSync(file, 'utf8')) as StackFile;
  if (!kafka || !postgres)
    throw new UsageError(`--stack: ${file} names no Kafka or no PostgreSQL: start the stack with both.`);
  return {
    MOON_KAFKA__BROKERS: JSON.stringify(kafka.brokers),
    MOON_KAFKA__REPLICATION_FACTOR: String(Math.min(3, kafka.brokers.length)),
    MOON_KAFKA__MIN_IN_SYNC_REPLICAS: String(Math.min(2, kafka.brokers.length)),
    MOON_POSTGRES__HOSTS: JSON.stringify(postgres.hosts.map(({ host, port }) => `${host}:${port}`)),
    MOON_POSTGRES__PATRONI: JSON.stringify(postgres.patroni),
    MOON_POSTGRES__SUPERUSER: postgres.superuser,
    MOON_POSTGRES__PASSWORD: postgres.password,
    ...(redis
      ? {
          MOON_REDIS__MODE: 'sentinel',
          MOON_REDIS__NODES: JSON.stringify(redis.sentinels.map(({ host, port }) => `${host}:${port}`)),
          MOON_REDIS__PRIMARY_NAME: redis.name,
        }
      : { MOON_CACHE: 'none' }),
  };
}
