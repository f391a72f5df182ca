import { startTestRedis, type TestRedis } from '../testing/redis';
import type { RedisConfig } from './config';
import { RedisProjectionCache } from './redis-projection-cache';

const LIMIT_MS = 20_000;
const version = '1'.padStart(16, '0');

describe('a cache that is open says why it cannot be used', () => {
  let cache: RedisProjectionCache | null = null;
  const servers: TestRedis[] = [];
  const start = async (...options: Parameters<typeof startTestRedis>): Promise<TestRedis> => {
    const redis = await startTestRedis(...options);
    servers.push(redis);
    return redis;
  };
  const open = (config: RedisConfig, changes: Partial<RedisConfig> = {}): RedisProjectionCache =>
    (cache = RedisProjectionCache.open({ ...config, timeoutMs: 500, ...changes }));
  afterEach(async () => {
    await cache?.close();
    cache = null;
    await Promise.all(servers.splice(0).map((redis) => redis.stop()));
  });

  /** Asks until the answer (or what is said instead of one) is as wanted. @returns the last one */
  const says = async (pattern: RegExp, ask: () => Promise<unknown> = () => cache!.probe()): Promise<string> => {
    let said = '';
    for (const end = Date.now() + LIMIT_MS; Date.now() < end && !pattern.test(said);) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      said = await ask().then(
        () => 'it answers',
        (error: Error) => error.message,
      );
    }
    return said;
  };

  it('a wrong password, one that is missing', async () => {
    const redis = await start({ password: 'right' });
    const [where] = redis.config.nodes;
    open(redis.config, { password: 'wrong' });
    const wrong = `Redis at ${where} does not accept the password of user "default": check "redis.password".`;
    expect(await says(/password/)).toBe(wrong);
    // Between two attempts to connect, too.
    for (let ask = 0; ask < 20; ask += 1) expect(await says(/./)).toBe(wrong);
    expect(await says(/./, () => cache!.get(['a']))).toBe(wrong);
    await cache!.close();

    open(redis.config, { password: undefined as never });
    expect(await says(/password/)).toBe(`Redis at ${where} asks for a password: check "redis.password".`);
  });

  it('an address where nobody listens; once somebody does, it answers', async () => {
    const redis = await start();
    await redis.kill();
    open(redis.config);
    expect(await says(/Nobody/)).toBe(
      `Nobody listens at ${redis.config.nodes[0]}: start Redis, or check "redis.nodes".`,
    );
    await redis.start();
    expect(await says(/answers/)).toBe('it answers');
    await redis.kill();
    expect(await says(/Nobody/)).toMatch(/^Nobody listens at/);
  });

  it('[CCH-1] a server that throws keys away, also one that another one gave way to, until it keeps them', async () => {
    const redis = await start();
    open(redis.config);
    expect(await says(/answers/)).toBe('it answers');
    await redis.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    // As a fail-over does, which brings another server.
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    expect(await says(/throws keys away/)).toBe(
      'Redis throws keys away when its memory is full (maxmemory-policy allkeys-lru): set it to noeviction.',
    );
    expect(await says(/answers/, () => cache!.identity())).toBe('it answers');
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    expect(await says(/answers/)).toBe('it answers');
  });

  it('[CCH-4] one that can be read and takes no writes, for its replicas are gone; until they are back', async () => {
    const strict = { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '2', 'repl-diskless-sync-delay': '0' };
    const primary = await start({ settings: strict });
    const replica = await start();
    const follow = (): Promise<unknown> => replica.command('REPLICAOF', '127.0.0.1', String(primary.port));
    await follow();
    open(primary.config);
    expect(await says(/answers/)).toBe('it answers');
    await cache!.open('1000');
    await cache!.put([{ key: 'a', version, value: '1' }]);
    await cache!.complete('1000');
    const before = await primary.command('KEYS', '*');

    await replica.kill();

    const refused = new RegExp(`^Redis at ${primary.config.nodes[0]} can be read but takes no writes: fewer replicas`);
    expect(await says(refused)).toMatch(refused);
    // Readers are shown what was there, as if nothing were wrong.
    expect(await says(/answers/, () => cache!.identity())).toBe('it answers');
    expect(await cache!.get(['a'])).toMatchObject({ isWhole: true, entries: [{ value: '1' }] });
    expect(await says(refused, () => cache!.put([{ key: 'a', version: `${version}1`, value: '2' }]))).toMatch(refused);

    await replica.start();
    await follow();
    expect(await says(/answers/)).toBe('it answers');
    // To be asked changes nothing.
    expect(await primary.command('KEYS', '*')).toEqual(before);
  });

  it('[CCH-1] a full one', async () => {
    const redis = await start();
    open(redis.config);
    expect(await says(/answers/)).toBe('it answers');
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await says(/full/)).toBe(
      `Redis at ${redis.config.nodes[0]} is full and takes no writes: raise "maxmemory", or free memory.`,
    );
  });

  it('a replica', async () => {
    const [primary, replica] = [await start(), await start()];
    await replica.command('REPLICAOF', '127.0.0.1', String(primary.port));
    open(replica.config);
    expect(await says(/takes no writes/)).toMatch(/can be read but takes no writes \(.*READONLY/);
  });
});
