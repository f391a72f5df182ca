import { describeProjectionCache } from '../../../kernel/src/contracts/projection-cache.contract';
import { startTestRedis } from '../testing/redis';
import { startTestRedisCluster, type TestRedisCluster } from '../testing/redis-cluster';
import { beginSlotMove } from '../testing/redis-slot-move';
import { connectRedis } from './client';
import type { RedisConfig } from './config';
import { RedisProjectionCache } from './redis-projection-cache';

const version = (number: number): string => String(number).padStart(16, '0');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** A key of the environment's slot. */
const KEY = '{test}';

describe('the cache of projections in a Redis Cluster', () => {
  let cluster: TestRedisCluster;
  beforeAll(async () => {
    cluster = await startTestRedisCluster();
  });
  afterAll(() => cluster.stop());
  const connect = (): Promise<RedisProjectionCache> => RedisProjectionCache.connect(cluster.config);

  describeProjectionCache({
    name: 'Redis Cluster',
    isRedis: true,
    create: async () => {
      await cluster.empty();
      const cache = await connect();
      return { cache, again: connect, close: () => cache.close() };
    },
  });

  describe('a subscriber', () => {
    let cache: RedisProjectionCache;
    let listener: RedisProjectionCache;
    let resyncs: number;
    let heard: Set<string>;
    beforeEach(async () => {
      await cluster.empty();
      [cache, listener] = [await connect(), await connect()];
      await cache.open('1000');
      [resyncs, heard] = [0, new Set()];
      await listener.subscribe({ changed: ({ key }) => heard.add(key), resync: () => (resyncs += 1) });
    });
    afterEach(async () => {
      await Promise.all([cache.close(), listener.close()]);
      await cluster.mend();
    });

    /** The node that the subscriber's connection leads to. */
    const nodeOfSubscriber = async () => {
      for (;;) {
        for (const node of cluster.atWork()) {
          const clients = (await node.command('CLIENT', 'LIST', 'TYPE', 'pubsub')) as string;
          if (clients.includes('moon-changes')) return node;
        }
        await pause(20);
      }
    };
    /** Writes until the cache takes it. */
    const put = async (key: string): Promise<void> => {
      for (;;) {
        try {
          await cache.put([{ key, version: version(1), value: '1' }]);
          return;
        } catch {
          await pause(50);
        }
      }
    };
    /** What was changed while the subscriber may have been deaf is heard, or it was told to read anew; then it hears again. */
    const hearsAgain = async (): Promise<void> => {
      while (resyncs === 0) await pause(20);
      await put('after');
      while (!heard.has('after')) await pause(20);
    };

    it('is told to read anew after its node was killed, and hears what comes then', async () => {
      const node = await nodeOfSubscriber();
      await cluster.kill(node);
      await hearsAgain();
    });

    it('is told to read anew after its node froze, while that is still frozen', async () => {
      const node = await nodeOfSubscriber();
      cluster.pause(node);
      await hearsAgain();
    });

    it('goes with the slot when a replica takes it over in good order, and is told to read anew', async () => {
      const owner = await cluster.owner(KEY);
      await (await cluster.replicaOf(owner)).command('CLUSTER', 'FAILOVER');
      const next = await cluster.ownerAfter(KEY, owner);
      await hearsAgain();
      expect((await nodeOfSubscriber()).port).toBe(next.port);
    });

    it('goes with the slot when that is moved to another node, and is told to read anew', async () => {
      const next = await cluster.otherPrimary(KEY);
      await (await beginSlotMove(cluster, KEY, next)).end();
      await hearsAgain();
      expect((await nodeOfSubscriber()).port).toBe(next.port);
    });

    it('stays where it is when another node is killed, and misses nothing', async () => {
      const before = await nodeOfSubscriber();
      const other = await cluster.otherPrimary(KEY);
      await cluster.kill(other);
      while ((await cluster.primaryCount()) < 3) await pause(50);
      await put('after');
      while (!heard.has('after')) await pause(20);
      expect(resyncs).toBe(0);
      expect((await nodeOfSubscriber()).port).toBe(before.port);
    });
  });
});

describe('a Redis Cluster with a password', () => {
  let cluster: TestRedisCluster;
  beforeAll(async () => {
    cluster = await startTestRedisCluster({ password: 'right' });
  });
  afterAll(() => cluster.stop());
  afterEach(() => cluster.mend());

  const failure = async (changes: Partial<RedisConfig>): Promise<string> => {
    const config = { ...cluster.config, timeoutMs: 500, ...changes };
    const { message } = await connectRedis(config, { use: 'cache', name: 'test', key: KEY }).then(
      (client) => {
        client.disconnect();
        return new Error('It connected.');
      },
      (error: Error) => error,
    );
    return message;
  };

  it('is used with it, before and after a failover', async () => {
    const cache = await RedisProjectionCache.connect(cluster.config);
    try {
      await cache.open('1000');
      await cache.put([{ key: 'a', version: version(1), value: '1' }]);
      const owner = await cluster.owner(KEY);
      await cluster.kill(owner);
      await cluster.ownerAfter(KEY, owner);
      for (;;) {
        const entries = await cache.get(['a']).then(
          (answer) => answer.entries,
          () => null,
        );
        if (entries !== null) {
          expect(entries).toEqual([{ version: version(1), value: '1' }]);
          return;
        }
        await pause(50);
      }
    } finally {
      await cache.close();
    }
  });

  it('says in one line that the password is wrong, or missing', async () => {
    const where = cluster.config.nodes.join(', ');
    expect(await failure({ password: 'wrong' })).toBe(
      `Redis at ${where} does not accept the password of user "default": check "redis.password".`,
    );
    expect(await failure({ password: undefined as never })).toBe(
      `Redis at ${where} asks for a password: check "redis.password".`,
    );
  });

  it('is found as long as one of the nodes that are named answers', async () => {
    expect(await failure({ nodes: ['127.0.0.1:1', cluster.config.nodes[5]!] })).toBe('It connected.');
    expect(await failure({ nodes: ['127.0.0.1:1'] })).toBe(
      'Nobody listens at 127.0.0.1:1: start Redis, or check "redis.nodes".',
    );
  });

  it('is refused when any of its primaries throws keys away', async () => {
    const other = await cluster.otherPrimary(KEY);
    await other.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    try {
      expect(await failure({})).toBe(
        `Redis at 127.0.0.1:${other.port} throws keys away when its memory is full (maxmemory-policy allkeys-lru): ` +
          'set it to noeviction.',
      );
    } finally {
      await other.command('CONFIG', 'SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
    }
  });

  it('is refused with another database than 0', async () => {
    expect(await failure({ database: 3 })).toBe(
      '"redis.database" is 3: a Redis Cluster ("redis.mode" cluster) has only database 0.',
    );
  });

  it('says in one line that slots have no owner', async () => {
    const loner = await startTestRedis({ settings: { 'cluster-enabled': 'yes', 'cluster-port': '0' } });
    try {
      const { nodes } = loner.config;
      expect(await failure({ nodes, password: undefined as never })).toBe(
        `The Redis Cluster at ${nodes[0]} takes no commands (no node owns slot 6918): see "redis-cli --cluster check".`,
      );
    } finally {
      await loner.stop();
    }
    const owner = await cluster.owner(KEY);
    const replica = await cluster.replicaOf(owner);
    await Promise.all([cluster.kill(replica), cluster.kill(owner)]);
    const witness = cluster.nodes.find((node) => node !== owner && node !== replica)!;
    while (!/cluster_state:fail/.test((await witness.command('CLUSTER', 'INFO')) as string)) await pause(50);
    expect(await failure({})).toBe(
      `The Redis Cluster at ${cluster.config.nodes.join(', ')} takes no commands (a slot has no owner that works): ` +
        'see "redis-cli --cluster check".',
    );
  });
});
