import type { RedisConfig } from '@moon/infra';
import { RedisProjectionCache } from '@moon/infra';
import { startTestRedis, type TestRedis } from '../../../../../../libs/infra/src/testing/redis';
import { checkCache } from './cache';

describe('moon doctor on a Redis server', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis({ password: 'right' });
  });
  afterAll(() => redis.stop());
  const check = (changes: Partial<RedisConfig> = {}): ReturnType<typeof checkCache> =>
    checkCache({ cache: 'redis', redis: { ...redis.config, ...changes } });

  it('[CCH-1] names a wrong password, and a server that throws keys away', async () => {
    expect(await check({ password: 'wrong' })).toMatchObject({
      status: 'wrong',
      detail: expect.stringMatching(/does not accept the password/) as string,
    });
    await redis.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    expect(await check()).toMatchObject({
      status: 'wrong',
      detail: expect.stringMatching(/maxmemory-policy allkeys-lru/) as string,
    });
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  it('tells whether it holds projections, and leaves nothing behind', async () => {
    expect(await check()).toMatchObject({
      status: 'note',
      detail: expect.stringMatching(/no projections yet/) as string,
    });
    expect(await redis.command('KEYS', '*')).toEqual([]);
    const cache = await RedisProjectionCache.connect(redis.config);
    await cache.open('1000');
    expect(await check()).toMatchObject({ status: 'note', detail: expect.stringMatching(/not hold all/) as string });
    await cache.complete('1000');
    await cache.close();
    expect(await check()).toMatchObject({ status: 'ok' });
  });

  it('[CCH-4] names one that can be read and takes no writes', async () => {
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    expect(await check()).toMatchObject({
      status: 'wrong',
      detail: expect.stringMatching(/takes no writes: fewer replicas/) as string,
    });
  });
});
