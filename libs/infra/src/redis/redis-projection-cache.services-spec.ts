import { describeProjectionCache } from '../../../kernel/src/contracts/projection-cache.contract';
import { startTestRedis, type TestRedis } from '../testing/redis';
import { connectRedis } from './client';
import type { RedisConfig } from './config';
import { RedisProjectionCache } from './redis-projection-cache';

const version = (number: number): string => String(number).padStart(16, '0');

describe('the cache of projections in Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.stop());

  describeProjectionCache({
    name: 'Redis',
    isRedis: true,
    create: async () => {
      await redis.command('FLUSHALL');
      const cache = await RedisProjectionCache.connect(redis.config);
      return { cache, again: () => RedisProjectionCache.connect(redis.config), close: () => cache.close() };
    },
  });

  describe('at the server', () => {
    let cache: RedisProjectionCache;
    beforeEach(async () => {
      await redis.command('FLUSHALL');
      cache = await RedisProjectionCache.connect(redis.config);
      await cache.open('1000');
    });
    afterEach(() => cache.close());

    it('[CCH-1] gives no key a time to live', async () => {
      await cache.put([
        { key: 'portfolio:main', version: version(1), value: '{}' },
        { key: 'order:1', version: version(1), value: null },
      ]);
      const keys = ((await redis.command('KEYS', '*')) as string[]).sort();
      expect(keys).toEqual([
        'moon:{test}:1000',
        'moon:{test}:1000:order:1',
        'moon:{test}:1000:portfolio:main',
        'moon:{test}:generations',
      ]);
      expect(await Promise.all(keys.map((key) => redis.command('TTL', key)))).toEqual([-1, -1, -1, -1]);
    });

    it('keeps environments apart', async () => {
      const other = await RedisProjectionCache.connect({ ...redis.config, environment: 'other' });
      try {
        await cache.put([{ key: 'a', version: version(1), value: '1' }]);
        await other.open('1000');
        expect((await other.get(['a'])).entries).toEqual([null]);
      } finally {
        await other.close();
      }
    });

    it('is another server after a restart, and has no generation after it was emptied', async () => {
      const before = await cache.identity();
      await redis.command('FLUSHALL');
      expect(await cache.identity()).toEqual({ server: before.server, generation: null, isWhole: false });
    });
  });
});

describe('a Redis that cannot be used is named in one line', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis({ password: 'right' });
  });
  afterAll(() => redis.stop());

  const failure = async (changes: Partial<RedisConfig>): Promise<string> => {
    const config = { ...redis.config, timeoutMs: 200, ...changes };
    const { message } = await connectRedis(config, { use: 'cache', name: 'test', key: '{test}' }).then(
      (client) => {
        client.disconnect();
        return new Error('It connected.');
      },
      (error: Error) => error,
    );
    return message;
  };

  it('a wrong password, one that is missing', async () => {
    const where = redis.config.nodes[0]!;
    expect(await failure({ password: 'wrong' })).toBe(
      `Redis at ${where} does not accept the password of user "default": check "redis.password".`,
    );
    expect(await failure({ password: undefined as never })).toBe(
      `Redis at ${where} asks for a password: check "redis.password".`,
    );
  });

  it('an address where nobody listens, a name that no machine has', async () => {
    expect(await failure({ nodes: ['127.0.0.1:1'] })).toBe(
      'Nobody listens at 127.0.0.1:1: start Redis, or check "redis.nodes".',
    );
    // Where no name server answers in time, that is all there is to be said.
    expect(await failure({ nodes: ['no-such-machine.invalid:6379'] })).toMatch(
      /no-such-machine\.invalid:6379.*: check "redis\.nodes"\.$/,
    );
  });

  it('Sentinels that are none, a cluster that is none', async () => {
    expect(await failure({ mode: 'sentinel', nodes: ['127.0.0.1:1'] })).toMatch(
      /^No Sentinel of 127\.0\.0\.1:1 names a primary "moon" that answers: check "redis\.nodes" and "redis\.primaryName"\.$/,
    );
    expect(await failure({ mode: 'cluster' })).toMatch(/^Redis at .* is no cluster: set "redis\.mode" to "single"/);
  });

  it('a server that throws keys away', async () => {
    const evicting = await startTestRedis({ settings: { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' } });
    try {
      expect(await failure({ ...evicting.config, password: undefined as never })).toBe(
        'Redis throws keys away when its memory is full (maxmemory-policy allkeys-lru): set it to noeviction.',
      );
    } finally {
      await evicting.stop();
    }
  });
});
