import { CacheAheadOfLog, rebuildProjections, streamVersion, type LogRow, type RebuildProgress } from '@moon/kernel';
import { RedisProjectionCache } from '@moon/infra';
import { startTestRedis, type TestRedis } from '../../libs/infra/src/testing/redis';
import { cachedText, projectedText, Projecting, readRows } from '../support/projecting';
import { tradedLog } from '../support/traded-log';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('projections in a real Redis', () => {
  let rows: LogRow[];
  let redis: TestRedis;
  let projecting: Projecting;

  beforeAll(async () => {
    ({ rows } = await tradedLog(300));
  });
  beforeEach(async () => {
    redis = await startTestRedis();
    projecting = new Projecting(await RedisProjectionCache.connect(redis.config));
    await projecting.until('up');
  });
  afterEach(async () => {
    await projecting.stop();
    await redis.stop();
  });

  /** The whole log, a piece every few milliseconds; `events` happen at their share of it. */
  const play = async (events: Record<number, () => Promise<void> | void>): Promise<void> => {
    const pieces = 40;
    const size = Math.ceil(rows.length / pieces);
    for (let piece = 0; piece < pieces; piece += 1) {
      await events[piece]?.();
      projecting.take(rows.slice(piece * size, (piece + 1) * size));
      await pause(5);
    }
  };
  const expectProjection = async (): Promise<void> => {
    await projecting.writer.idle();
    const [held, expected] = [await cachedText(projecting.cache), projectedText(rows)];
    expect(held.length).toBeGreaterThan(20);
    expect(held).toEqual(expected);
    expect((await projecting.cache.identity()).isWhole).toBe(true);
  };

  it('[CCH-1] [SYS-4] portfolio, agent state and metrics are there as the log says them', async () => {
    await play({});
    await expectProjection();
    const kinds = new Set(projectedText(rows).map((line) => line.split(':')[0]));
    expect([...kinds]).toEqual(expect.arrayContaining(['agent', 'consensus', 'halts', 'order', 'portfolio']));
  });

  it('[CCH-4] [SYS-4] killed and started again empty: reads are stale meanwhile, then everything is there again', async () => {
    const keys = ['portfolio:main', 'halts:main'];
    await play({
      10: async () => {
        await redis.kill();
        await projecting.until('down');
        expect(await projecting.reader.get(keys)).toMatchObject({ isStale: true, ageMs: expect.any(Number) as number });
      },
      25: () => redis.start(),
    });
    await expectProjection();
    // A reader leaves a cache that failed alone for a while.
    let answer = await projecting.reader.get(keys);
    while (answer.isStale) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await projecting.reader.get(keys);
    }
    expect(answer).toMatchObject({ isStale: false, entries: (await projecting.cache.get(keys)).entries });
    expect(projecting.states.slice(-3)).toEqual(['down', 'catching-up', 'up']);
  });

  it('[CCH-4] [SYS-4] emptied while it runs: it is noticed, and filled again', async () => {
    await play({ 20: () => redis.command('FLUSHALL').then(() => undefined) });
    await expectProjection();
    expect(projecting.states).toContain('catching-up');
  });

  it('[CCH-4] frozen: the writer gives up on it and holds its bound, opening orders stop, and both recover', async () => {
    expect(projecting.monitor.isCacheUp).toBe(true);
    await play({
      10: async () => {
        redis.pause();
        await projecting.until('down');
      },
      15: async () => {
        while (projecting.monitor.isCacheUp) await pause(10);
      },
      30: () => redis.resume(),
    });
    await expectProjection();
    while (!projecting.monitor.isCacheUp) await pause(10);
  });

  it('tells subscribers to read anew after each interruption', async () => {
    const newest = new Map<string, string>();
    let resyncs = 0;
    const listener = await RedisProjectionCache.connect(redis.config);
    try {
      await listener.subscribe({
        changed: ({ key, version }) => newest.set(key, version),
        resync: () => (resyncs += 1),
      });
      await play({
        20: async () => {
          await redis.kill();
          await redis.start();
        },
      });
      await projecting.writer.idle();
      while (resyncs === 0) await pause(10);
      projecting.writer.write([{ key: 'market:last', version: streamVersion(1), value: '1' }]);
      while (!newest.has('market:last')) await pause(10);
    } finally {
      await listener.close();
    }
  });

  describe('a rebuild', () => {
    const rebuild = (log: LogRow[], cut: number, changes: { isForced?: boolean } = {}) => {
      const seen: RebuildProgress[] = [];
      const result = rebuildProjections({
        ...{ read: readRows(log), cut, cache: projecting.cache, generation: String(Date.now() + 1) },
        ...{ pause: () => pause(5), onProgress: (progress: RebuildProgress) => seen.push(progress), ...changes },
      });
      return { result, seen };
    };
    /** Another content, a key that the log does not know, each where a version would let them stand. */
    const corrupt = async (): Promise<void> => {
      const { generation } = await projecting.cache.identity();
      const name = `moon:{test}:${generation}:portfolio:main`;
      const right = (await redis.command('GET', name)) as string;
      await redis.command('SET', name, `${right.split(' ')[0]} {"equity":1}`);
    };

    it('[SYS-4] starts from planted corruption at the right version, while the writer goes on', async () => {
      const log = rows.slice(0, Math.floor(rows.length / 2));
      projecting.take(log);
      await projecting.writer.idle();
      await corrupt();
      const before = await projecting.cache.identity();
      expect(await cachedText(projecting.cache)).not.toEqual(projectedText(log));
      const { result, seen } = rebuild(log, log.length);
      // The log grows while it is read; the writer is ahead of it.
      for (const row of rows.slice(log.length)) {
        projecting.take([row]);
        log.push(row);
        if (row.seq % 200 === 0) await pause(1);
      }
      await projecting.writer.idle();
      const { generation, aheadOfLog, parked } = await result;
      expect([aheadOfLog, parked]).toEqual([[], []]);
      await expectProjection();
      expect((await projecting.cache.identity()).generation).toBe(generation);
      expect(generation > before.generation!).toBe(true);
      expect(await redis.command('KEYS', `moon:{test}:${before.generation}*`)).toEqual([]);
      expect(new Set(seen.map(({ phase }) => phase))).toEqual(new Set(['writing', 'catching-up']));
    });

    it('leaves everything as it is when readers see more than the log has, unless it is forced', async () => {
      projecting.take(rows);
      projecting.writer.write([{ key: 'invented', version: streamVersion(1), value: '1' }]);
      await projecting.writer.idle();
      const before = await projecting.cache.identity();
      await expect(rebuild(rows, rows.length).result).rejects.toThrow(CacheAheadOfLog);
      expect(await projecting.cache.identity()).toEqual(before);
      const { aheadOfLog } = await rebuild(rows, rows.length, { isForced: true }).result;
      expect(aheadOfLog).toEqual(['invented']);
      await expectProjection();
    });
  });
});
