import type { AnyEvent } from '@moon/events';
import type { BusMessage, EventQuery, LogRow } from '@moon/kernel';
import { depositRow, tickRow } from '../../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { withClient } from '../access';
import { StoreInspection } from '../inspection';
import { EventArchive } from './archive';
import { ClusterLog } from './log';
import { ShardJournals } from './shard-journal';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

const MINUTE = 60_000;

const messageOf = (event: AnyEvent, offset: number, producer: string | null = null): BusMessage => ({
  topic: 'price.ticks',
  partition: 0,
  offset,
  event,
  producer,
});

const caused = (row: LogRow, cause: AnyEvent): LogRow => ({
  ...row,
  event: { ...row.event, causationId: cause.id, correlationId: cause.correlationId } as AnyEvent,
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('the log of a cluster', () => {
  let database: string;
  let log: ClusterLog;
  let archive: EventArchive;
  let journals: ShardJournals;

  beforeEach(async () => {
    database = await test.clusterDatabase();
    log = new ClusterLog(test.access.app, database);
    archive = new EventArchive(test.access.app, database);
    journals = new ShardJournals(test.access.app, database);
  });
  afterEach(() => Promise.all([log, archive, journals].map((part) => part.close())));

  /** A tick, two deposits that two shards made of it, and a tick of another shard that they led to. */
  async function chain(): Promise<{ root: AnyEvent; ids: string[] }> {
    const root = tickRow(1).event;
    const [first, second] = [caused(depositRow(2, 1), root), caused(depositRow(3, 1, 'other'), root)];
    const last = caused(tickRow(4, { token: 'ETH' }), second.event);
    await archive.append([messageOf(root, 0)]);
    for (const [shard, row] of [
      ['execution#0', first],
      ['execution#1', second],
    ] as const) {
      const journal = journals.open(shard);
      await journal.claim('host-1');
      await journal.append({ afterSeq: 0, toSeq: 2, entries: [], publishedSeq: 1 }, [row]);
    }
    await archive.append([messageOf(last.event, 1, 'agent/chart#3'), messageOf(tickRow(9).event, 2)]);
    return { root, ids: [root, first.event, second.event, last.event].map(({ id }) => id) };
  }

  it('shows what follows from one event, over shards and both tables, in the order of time', async () => {
    const { root, ids } = await chain();
    const { rows, cursor } = await log.query({ correlationId: root.id, limit: 10 });
    expect(rows.map(({ event }) => event.id)).toEqual(ids);
    expect(cursor).toBeNull();
    expect((await log.query({ causationId: root.id, limit: 10 })).rows.map(({ event }) => event.id)).toEqual(
      ids.slice(1, 3),
    );
    expect(await log.producersOf(ids)).toEqual(
      new Map([
        [ids[1], 'execution#0'],
        [ids[2], 'execution#1'],
        [ids[3], 'agent/chart#3'],
      ]),
    );
  });

  it('answers questions in pages without losing or doubling any row', async () => {
    await chain();
    const ticks = Array.from({ length: 25 }, (_, index) => tickRow(100 + index, { at: Date.UTC(2024, 2, 1) }));
    await archive.append(ticks.map(({ event }, index) => messageOf(event, 10 + index)));
    const pages = async (query: EventQuery): Promise<LogRow[]> => {
      const found: LogRow[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await log.query({ ...query, ...(cursor !== undefined && { cursor }) });
        found.push(...page.rows);
        if (page.cursor === null) return found;
        cursor = page.cursor;
      }
    };
    const oldest = await pages({ limit: 4 });
    expect(oldest.map(({ event }) => event.id)).toEqual([...new Set(oldest.map(({ event }) => event.id))]);
    expect(oldest).toHaveLength(30);
    expect(await pages({ limit: 7, order: 'newest' })).toEqual([...oldest].reverse());
    expect(await pages({ limit: 3, types: ['portfolio.deposited'] })).toHaveLength(2);
    expect(await pages({ limit: 3, types: ['price.tick'], token: 'ETH' })).toHaveLength(1);
    expect(await pages({ limit: 3, streamId: 'portfolio-other' })).toHaveLength(1);
    const [from, to] = [tickRow(2).event.occurredAt, tickRow(2).event.occurredAt + 2 * MINUTE];
    expect(await pages({ limit: 1, from, to })).toHaveLength(2);
    expect(await log.countsByType()).toEqual({ 'portfolio.deposited': 2, 'price.tick': 28 });
  });

  it('reads on in the order of positions, which have gaps, from anywhere', async () => {
    await chain();
    // Positions that a repeat used up.
    await archive.append([messageOf(tickRow(1).event, 0), messageOf(tickRow(20).event, 30)]);
    const rows = await collect(log.readLog(0));
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 7]);
    expect(await log.lastSeq()).toBe(7);
    expect(await collect(log.readLog(3))).toEqual(rows.slice(3));
    expect(await collect(log.readLog(2, 2))).toEqual(rows.slice(2, 4));
    expect(await collect(log.readLog(7))).toEqual([]);
    expect(await collect(log.readStream('portfolio-other'))).toEqual([rows[2]]);
    expect(await collect(log.readStream('portfolio-other', 1))).toEqual([]);
  });

  it('says who owns the shards', async () => {
    expect(await log.shards()).toEqual([]);
    expect(await log.lastSeq()).toBe(0);
    await chain();
    await journals.open('execution#0').claim('host-2');
    const shards = await log.shards();
    expect(
      shards.map(({ shard, epoch, owner, lastSeq, publishedSeq }) => [shard, epoch, owner, lastSeq, publishedSeq]),
    ).toEqual([
      ['execution#0', 2, 'host-2', 2, 1],
      ['execution#1', 1, 'host-1', 2, 1],
    ]);
    expect(Math.abs(shards[0]!.claimedAt - Date.now())).toBeLessThan(MINUTE);
  });

  it('is open to the questions of people and tools, too', async () => {
    const { ids } = await chain();
    const inspection = new StoreInspection(test.access.app, database);
    const found = await inspection.eventsByIdPrefix(ids[1]!.slice(0, 13), 5);
    const streams = await inspection.streamsByPrefix('portfolio-', 5);
    const facts = await inspection.marketFacts();
    const letters = await inspection.deadLetters();
    await inspection.close();
    expect(found.map(({ event }) => event.id)).toEqual([ids[1]]);
    expect(streams).toEqual(['portfolio-main', 'portfolio-other']);
    expect(facts).toMatchObject({ instruments: ['BTC.X'] });
    expect(letters).toEqual([]);
  });

  it('finds its next page by an index, however long the log is', async () => {
    await archive.append(Array.from({ length: 2_000 }, (_, index) => messageOf(tickRow(index).event, index)));
    await withClient(test.access.owner, database, (client) => client.query('ANALYZE events'));
    const plan = await withClient(test.access.app, database, async (client) => {
      const text = 'EXPLAIN SELECT seq FROM log WHERE position > 7 ORDER BY position LIMIT 5';
      return (await client.query<{ 'QUERY PLAN': string }>(text)).rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).toMatch(/Index.* Scan using events_\d{4}_\d{2}_position_idx/);
    expect(plan).not.toMatch(/Seq Scan|-> +Sort/);
  });
});
