import { Redis, type RedisOptions } from 'ioredis';
import { ClusterView } from './cluster-view';
import { nodesOf, redisProblems, type RedisConfig } from './config';
import { explainRedisError, RedisUnusable } from './errors';
import { SlotConnector, type SlotConnectorOptions } from './slot-connector';

/** One connection to one server, in every mode: in a cluster to the node that owns the slot of `key` (ADR 0041). */
export type RedisClient = Redis;

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
  /** A key of those that it is for, all of one slot: a cluster has other nodes for other slots. */
  key: string;
  /** Told of what goes wrong in between, also of a refusal that the client leaves the server for; it reconnects by itself. */
  onError?: (error: Error) => void;
}

/** ms after which a connection that is given up is cut; ioredis waits 2 s otherwise, and so would writers in a failover. */
const DISCONNECT_MS = 200;
const LONGEST_PAUSE_MS = 500;
const pauseMs = (attempt: number): number => Math.min(attempt * 50, LONGEST_PAUSE_MS);

/** Answers of a server that is no primary any more, or has lost its replicas: another one must be asked. */
const MOVED_ON = /^(READONLY|NOREPLICAS)/;
/** In a cluster also of one that does not own the slot. Elsewhere nobody knows of another one. */
const SLOT_MOVED_ON = /^(READONLY|NOREPLICAS|MOVED)/;

/**
 * Makes a client, which connects by itself and goes on doing so until it is closed.
 *
 * @throws RedisUnusable for settings that do not fit together
 */
export function createRedis(config: RedisConfig, options: RedisClientOptions): RedisClient {
  const [problem] = redisProblems(config);
  if (problem !== undefined) throw new RedisUnusable(problem, true);
  const client = new Redis({
    ...nodeOptions(config, options),
    retryStrategy: pauseMs,
    ...serverOptions(config, options),
  });
  // "All sentinels are unreachable" is normal in the middle of a failover; without a listener it would end the process.
  client.on('error', (error: Error) => options.onError?.(error));
  return client;
}

/** How the server is found. */
function serverOptions(config: RedisConfig, { key, onError }: RedisClientOptions): RedisOptions {
  const { mode, primaryName, sentinelPassword, timeoutMs, tls } = config;
  const nodes = nodesOf(config);
  if (mode === 'single') return { ...nodes[0] };
  if (mode === 'cluster')
    return {
      Connector: connectorOf({
        view: new ClusterView(config, key),
        ...{ watchEveryMs: timeoutMs, pauseMs, ...(onError && { onError }) },
      }),
    };
  return {
    sentinels: nodes,
    name: primaryName,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelRetryStrategy: pauseMs,
    sentinelCommandTimeout: timeoutMs,
    // A frozen primary says nothing; the Sentinels do.
    failoverDetector: true,
  };
}

/** ioredis makes the connector itself, from its own options. */
function connectorOf(slot: SlotConnectorOptions): NonNullable<RedisOptions['Connector']> {
  return class extends SlotConnector {
    constructor(options: unknown) {
      super(options as RedisOptions, slot);
    }
  };
}

function nodeOptions(config: RedisConfig, { use, name, onError }: RedisClientOptions): RedisOptions {
  const { mode, username, password, database, timeoutMs, tls } = config;
  const movedOn = mode === 'cluster' ? SLOT_MOVED_ON : MOVED_ON;
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
    reconnectOnError: (error) => {
      if (!movedOn.test(error.message)) return false;
      // The call itself fails only with a connection that is being given up.
      onError?.(error);
      return 2;
    },
  };
}

/** How long a first connection may take, in timeouts of one; how often its server is asked whether it keeps keys. */
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
    await patiently(() => assertKeepsKeys(config, client, options.key));
    return client;
  } catch (error) {
    client.disconnect();
    if (error instanceof RedisUnusable) throw error;
    throw explainRedisError(config, error as Error);
  }
}

/** A node that does not answer at once may do so the next time; what is wrong for good is said at once. */
async function patiently(action: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (attempt === PATIENCE || (error instanceof RedisUnusable && error.isFinal)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs(attempt)));
    }
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

/**
 * A server that evicts keys at a bound would take projections away without anybody having said so (CCH-1). Of a cluster every
 * primary is asked: the slot may go to any of them.
 */
export async function assertKeepsKeys(config: RedisConfig, client: RedisClient, key: string): Promise<void> {
  if (config.mode !== 'cluster') return assertServerKeepsKeys(client, 'Redis');
  const view = new ClusterView(config, key);
  for (const node of await view.primaries())
    await view.visit(node, (visitor) => assertServerKeepsKeys(visitor, `Redis at ${node.host}:${node.port}`));
}

async function assertServerKeepsKeys(client: Redis, who: string): Promise<void> {
  const info = await client.info('memory');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const bound = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  if (bound === 0 || policy === 'noeviction') return;
  throw new RedisUnusable(
    `${who} throws keys away when its memory is full (maxmemory-policy ${policy}): set it to noeviction.`,
    true,
  );
}
