import { describeProjectionCache } from '../../../kernel/src/contracts/projection-cache.contract';
import { startTestRedisCluster, type TestRedisCluster } from '../testing/redis-cluster';
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
        for (const node of cluster.nodes) {
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
      const id = await cluster.idOf(owner);
      const replicas = await Promise.all(
        cluster.nodes.map(async (node) => ({
          node,
          isOne: ((await node.command('CLUSTER', 'NODES')) as string).includes(`myself,slave ${id}`),
        })),
      );
      await replicas.find(({ isOne }) => isOne)!.node.command('CLUSTER', 'FAILOVER');
      const next = await cluster.ownerAfter(KEY, owner);
      await hearsAgain();
      expect((await nodeOfSubscriber()).port).toBe(next.port);
    });
  });
});
