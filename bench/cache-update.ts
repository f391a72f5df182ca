import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisProjectionCache, type RedisConfig } from '@moon/infra';
import { streamVersion, type CacheUpdate } from '@moon/kernel';
import { median, type BenchFigure, type BenchSize } from './figure';

/**
 * The cache of projections on a redis-server of its own: a versioned update alone (acknowledged), 100 at once, and from the call
 * to a subscriber on another connection. Values of about 700 bytes. Included: generations, index, publication.
 * Baseline in the same run, in turns: a bare compare-and-set in Lua on one key, alone and pipelined by 100; a bare
 * PUBLISH to a subscriber.
 */

const RAW = `local old = redis.call('GET', KEYS[1])
if old and tonumber(string.match(old, '^%d+')) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2]) return 1`;
const REPEATS = 3;
const AT_ONCE = 100;
const VALUE = JSON.stringify({ positions: 'x'.repeat(680), equity: 50_123.45 });

interface Scripted {
  rawPut(key: string, version: string, value: string): Promise<number>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port is free.');
  return address.port;
}

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

/** µs of each call, one after the other. */
async function alone(count: number, call: (turn: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const before = performance.now();
    await call(turn);
    times.push((performance.now() - before) * 1_000);
  }
  return times;
}

const rate = async (rounds: number, round: (turn: number) => Promise<unknown>): Promise<number> => {
  const before = performance.now();
  for (let turn = 0; turn < rounds; turn += 1) await round(turn);
  return (rounds * AT_ONCE) / ((performance.now() - before) / 1_000);
};

class CacheBench {
  private version = 0;
  private arrived: () => void = () => undefined;
  private rawArrived: () => void = () => undefined;

  constructor(
    private readonly cache: RedisProjectionCache,
    private readonly raw: Redis,
    private readonly count: number,
  ) {
    raw.defineCommand('rawPut', { numberOfKeys: 1, lua: RAW });
  }

  async listen(other: RedisProjectionCache, subscriber: Redis): Promise<void> {
    await other.subscribe({ changed: () => this.arrived(), resync: () => undefined });
    await subscriber.subscribe('raw');
    subscriber.on('message', () => this.rawArrived());
  }

  private next(key: number): CacheUpdate {
    this.version += 1;
    return { key: `portfolio:${key}`, version: streamVersion(this.version), value: VALUE };
  }

  private many(): CacheUpdate[] {
    return Array.from({ length: AT_ONCE }, (_, index) => this.next(index));
  }

  private rawPut(key: number): Promise<number> {
    this.version += 1;
    return (this.raw as unknown as Scripted).rawPut(`raw:${key}`, String(this.version), VALUE);
  }

  async run(): Promise<BenchFigure[]> {
    const { cache, raw, count } = this;
    const single: Record<'cache' | 'raw', number[]> = { cache: [], raw: [] };
    const told: Record<'cache' | 'raw', number[]> = { cache: [], raw: [] };
    const rates: Record<'cache' | 'raw', number[]> = { cache: [], raw: [] };
    for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
      const [one, other] = [
        await alone(count, () => this.rawPut(1)),
        await alone(count, () => cache.put([this.next(1)])),
      ];
      const heardRaw = await alone(count, async () => {
        const heard = new Promise<void>((resolve) => (this.rawArrived = resolve));
        await Promise.all([raw.publish('raw', VALUE), heard]);
      });
      const heardCache = await alone(count, async () => {
        const heard = new Promise<void>((resolve) => (this.arrived = resolve));
        await Promise.all([cache.put([this.next(1)]), heard]);
      });
      const rounds = Math.ceil(count / 20);
      const piped = () => Promise.all(Array.from({ length: AT_ONCE }, (_, index) => this.rawPut(index)));
      const rawRate = await rate(rounds, piped);
      const cacheRate = await rate(rounds, () => cache.put(this.many()));
      // The first round warms up.
      if (repeat === 0) continue;
      single.raw.push(...one);
      single.cache.push(...other);
      told.raw.push(...heardRaw);
      told.cache.push(...heardCache);
      rates.raw.push(rawRate);
      rates.cache.push(cacheRate);
    }
    const figure = (metric: string, value: number, baseline: number, unit: string): BenchFigure => ({
      ...{ bench: 'cache-update', metric, value, unit, baseline, ratio: value / baseline },
    });
    return [
      ...[0.5, 0.99].flatMap((share) => [
        figure(`update alone, p${share * 100}`, percentile(single.cache, share), percentile(single.raw, share), 'µs'),
        figure(
          `update → subscriber, p${share * 100}`,
          percentile(told.cache, share),
          percentile(told.raw, share),
          'µs',
        ),
      ]),
      figure(`updates, ${AT_ONCE} at once`, median(rates.cache), median(rates.raw), '1/s'),
    ];
  }
}

export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'moon-bench-redis-'));
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: 'ignore',
  });
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const failed = new Promise<never>((_resolve, reject) => server.once('error', reject));
  const config: RedisConfig = {
    ...{ mode: 'single', nodes: [`127.0.0.1:${port}`], primaryName: 'moon', environment: 'bench' },
    ...{ tls: false, database: 0, timeoutMs: 1_000 },
  };
  const raw = new Redis({ port });
  const subscriber = new Redis({ port });
  for (const client of [raw, subscriber]) client.on('error', () => undefined);
  try {
    const caches = await Promise.race([Promise.all([1, 2].map(() => RedisProjectionCache.connect(config))), failed]);
    const [cache, other] = caches as [RedisProjectionCache, RedisProjectionCache];
    await cache.open('1');
    const bench = new CacheBench(cache, raw, size === 'short' ? 500 : 5_000);
    await bench.listen(other, subscriber);
    const figures = await bench.run();
    await Promise.all([cache.close(), other.close()]);
    return figures;
  } finally {
    raw.disconnect();
    subscriber.disconnect();
    server.kill();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  }
}
