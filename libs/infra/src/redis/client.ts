import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { nodesOf, type RedisConfig } from './config';
import { explainRedisError, RedisUnusable } from './errors';

export type RedisClient = Redis | Cluster;

/**
 * What a connection is for. `cache`: a command that cannot be sent fails at once, for its caller has a buffer or a fallback
 * of its own. `queue`: it waits until Redis is back, however long that takes. `subscriber`: so does it, and a server that
 * does not answer is left.
 */
export type RedisUse = 'cache' | 'queue' | 'subscriber';

export interface RedisClientOptions {
  use: RedisUse;
  /** Shown by the server in its list of clients. */
  name: string;
  /** Told of what goes wrong in between; the client reconnects by itself. */
  onError?: (error: Error) => void;
}

/** ms after which a connection that is given up is cut; ioredis waits 2 s otherwise, and so would writers in a failover. */
const DISCONNECT_MS = 200;
const LONGEST_PAUSE_MS = 500;
const pauseMs = (attempt: number): number => Math.min(attempt * 50, LONGEST_PAUSE_MS);

/** Answers of a server that is no primary any more, or has lost its replicas: another one must be asked. */
const MOVED_ON = /^(READONLY|NOREPLICAS)/;

/** Makes a client, which connects by itself and goes on doing so until it is closed. */
export function createRedis(config: RedisConfig, options: RedisClientOptions): RedisClient {
  const { mode, primaryName, sentinelPassword, timeoutMs, tls } = config;
  const nodes = nodesOf(config);
  const node = nodeOptions(config, options);
  const client =
    mode === 'cluster'
      ? new Cluster(nodes, clusterOptions(config, node, options))
      : new Redis({
          ...node,
          retryStrategy: pauseMs,
          ...(mode === 'single'
            ? nodes[0]
            : {
                sentinels: nodes,
                name: primaryName,
                ...(sentinelPassword !== undefined && { sentinelPassword }),
                ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
                sentinelRetryStrategy: pauseMs,
                sentinelCommandTimeout: timeoutMs,
                // A frozen primary says nothing; the Sentinels do.
                failoverDetector: true,
              }),
        });
  // "All sentinels are unreachable" is normal in the middle of a failover; without a listener it would end the process.
  client.on('error', (error: Error) => options.onError?.(error));
  return client;
}

function nodeOptions(config: RedisConfig, { use, name }: RedisClientOptions): RedisOptions {
  const { username, password, database, timeoutMs, tls } = config;
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    db: database,
    connectionName: name,
    connectTimeout: timeoutMs,
    disconnectTimeout: DISCONNECT_MS,
    // What was sent and not answered may have been done. A caller with a buffer of its own hears of it at once, for it knows
    // that it may happen twice; ioredis leaves the call open otherwise.
    maxRetriesPerRequest: use === 'cache' ? 0 : null,
    enableReadyCheck: use !== 'queue',
    enableOfflineQueue: use !== 'cache',
    autoResendUnfulfilledCommands: use !== 'cache',
    // Blocking commands of queues are silent for long.
    ...(use !== 'queue' && { socketTimeout: timeoutMs }),
    reconnectOnError: (error) => (MOVED_ON.test(error.message) ? 2 : false),
  };
}

function clusterOptions(config: RedisConfig, node: RedisOptions, { use }: RedisClientOptions): ClusterOptions {
  const { db: _one, ...redisOptions } = node;
  return {
    redisOptions,
    clusterRetryStrategy: pauseMs,
    enableOfflineQueue: use !== 'cache',
    enableReadyCheck: true,
    slotsRefreshTimeout: config.timeoutMs,
  };
}

/** How long a first connection may take, in timeouts of one. */
const PATIENCE = 5;

/**
 * A client that has connected.
 *
 * @throws RedisUnusable that says in one line what is wrong: an address where nobody answers, a password that is not accepted
 */
export async function connectRedis(config: RedisConfig, options: RedisClientOptions): Promise<RedisClient> {
  let last: Error | null = null;
  const client = createRedis(config, {
    ...options,
    onError: (error) => {
      last = error;
      options.onError?.(error);
    },
  });
  try {
    await ready(client, config, () => last);
    await assertKeepsKeys(client);
    return client;
  } catch (error) {
    client.disconnect();
    if (error instanceof RedisUnusable) throw error;
    throw explainRedisError(config, error as Error);
  }
}

function ready(client: RedisClient, config: RedisConfig, last: () => Error | null): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const end = (error: Error | null): void => {
      clearTimeout(timer);
      client.off('ready', onReady);
      client.off('error', onError);
      if (error) reject(error);
      else resolve();
    };
    const onReady = (): void => end(null);
    const onError = (error: Error): void => {
      const explained = explainRedisError(config, error);
      if (explained.isFinal) end(explained);
    };
    const nothing = new Error(`no answer within ${config.timeoutMs * PATIENCE} ms`);
    const timer = setTimeout(() => end(explainRedisError(config, last() ?? nothing)), config.timeoutMs * PATIENCE);
    client.on('ready', onReady);
    client.on('error', onError);
  });
}

/** A server that evicts keys at a bound would take projections away without anybody having said so (CCH-1). */
async function assertKeepsKeys(client: RedisClient): Promise<void> {
  const info = await client.info('memory');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const bound = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  if (bound === 0 || policy === 'noeviction') return;
  throw new RedisUnusable(
    `Redis throws keys away when its memory is full (maxmemory-policy ${policy}): set it to noeviction.`,
    true,
  );
}
