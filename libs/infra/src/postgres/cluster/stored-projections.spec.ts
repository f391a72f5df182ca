import { CATALOG } from '@moon/events';
import { CacheReader, Projector, storedProjections, type EventQuery, type LogRow } from '@moon/kernel';
import { tradedLog } from '../../../../../tests/support/traded-log';
import { redisConfigSchema, type RedisConfig } from '../../redis/config';
import { RedisProjectionCache } from '../../redis/redis-projection-cache';
import { Value } from '@sinclair/typebox/value';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { EventArchive } from './archive';
import { ClusterLog } from './log';
import { ShardJournals } from './shard-journal';

const SHARD = 'execution#0';
/** Wall time that has passed since the newest event of the log, ms. */
const AGE_MS = 4_321;

describe('projections from the event store, while the cache is away', () => {
  let test: TestServer;
  let all: LogRow[];
  let log: ClusterLog;
  let cache: RedisProjectionCache;
  let reader: CacheReader;
  let problems: string[];

  /** A log with these rows, and a reader whose cache does not answer. */
  async function open(rows: readonly LogRow[]): Promise<void> {
    const { app } = test.access;
    const database = await test.clusterDatabase();
    const [archive, journals] = [new EventArchive(app, database), new ShardJournals(app, database)];
    const streams = rows.filter(({ streamId }) => streamId !== undefined);
    const journal = journals.open(SHARD);
    await journal.claim('spec');
    await journal.append({ afterSeq: 0, toSeq: streams.length, entries: [], publishedSeq: 0 }, streams);
    const bus = rows.filter(({ streamId }) => streamId === undefined);
    await archive.append(
      bus.map(({ seq, event }) => {
        return { topic: CATALOG[event.type].topic, partition: 0, offset: seq, event, producer: SHARD };
      }),
    );
    await Promise.all([archive.close(), journals.close()]);
    log = new ClusterLog(app, database);
    const newest = Math.max(...rows.map(({ event }) => event.occurredAt));
    const clock = { now: () => newest + AGE_MS, at: () => () => undefined };
    const nobody = Value.Default(redisConfigSchema, { nodes: ['127.0.0.1:1'], timeoutMs: 100 }) as RedisConfig;
    cache = RedisProjectionCache.open(nobody, { onError: () => undefined });
    problems = [];
    const onUnavailable = ({ message }: Error): void => void problems.push(message);
    reader = new CacheReader({ cache, clock, fallback: storedProjections(log), onUnavailable });
  }

  const whole = (rows: readonly LogRow[]): Projector => {
    const projector = new Projector();
    for (const row of rows) projector.apply(row);
    projector.settle();
    return projector;
  };

  beforeAll(async () => {
    test = await startTestServer();
    ({ rows: all } = await tradedLog(300));
  }, 180_000);
  afterAll(() => test.stop());
  afterEach(async () => {
    await cache.close();
    await log.close();
  });

  it('[CCH-4] every key is what the whole log folds to, with its version, marked stale with its age', async () => {
    await open(all);
    const entries = [...whole(all).entries()];
    const kinds = new Set(entries.map(({ key }) => key.split(':')[0]));
    expect([...kinds]).toEqual(expect.arrayContaining(['agent', 'bar', 'consensus', 'halts', 'order', 'portfolio']));
    const answer = await reader.get(entries.map(({ key }) => key));
    expect(answer).toMatchObject({ isStale: true, ageMs: AGE_MS });
    expect(answer.entries).toEqual(entries.map(({ version, value }) => ({ version, value })));
    expect(problems).toHaveLength(1);
  }, 120_000);

  it('[CCH-4] a portfolio begins with its newest snapshot, where retention has dropped what was before, too', async () => {
    const from = all.findIndex(({ event }) => event.type === 'state.changed' && event.data.version === 10);
    const isKept = (row: LogRow, index: number): boolean => index >= from || row.streamId !== undefined;
    const rest = all.filter(isKept);
    await open(rest);
    const asked: EventQuery[] = [];
    const query = log.query.bind(log);
    jest.spyOn(log, 'query').mockImplementation((given) => {
      asked.push(given);
      return query(given);
    });
    const keys = ['portfolio:main', 'portfolio:second', 'portfolio:none'];
    const { entries } = await reader.get(keys);
    const projector = whole(all);
    expect(entries.slice(0, 2)).toEqual(
      keys.slice(0, 2).map((key) => {
        const { version, value } = projector.entry(key);
        return { version, value };
      }),
    );
    expect(entries[2]).toBeNull();
    const ofDeltas = asked.filter(({ types, causationId }) => types?.[0] === 'state.changed' && !causationId);
    expect(ofDeltas.filter(({ key }) => key !== 'none').map(({ from }) => from ?? 0)).not.toContain(0);
  }, 60_000);

  it('says null of what was never shown, and of keys that are none', async () => {
    await open(all.slice(0, 200));
    const keys = ['order:none', 'market:NONE.X:last', 'agent:none:signal:BTC', 'operations:parked@none', 'nothing', ''];
    expect((await reader.get(keys)).entries).toEqual(keys.map(() => null));
  }, 60_000);

  it('fails when the event store is away as well', async () => {
    await open(all.slice(0, 200));
    await log.close();
    await expect(reader.get(['portfolio:main'])).rejects.toThrow();
    log = new ClusterLog(test.access.app, 'none');
  }, 60_000);
});
