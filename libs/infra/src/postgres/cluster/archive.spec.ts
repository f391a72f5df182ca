import type { AnyEvent } from '@moon/events';
import type { BusMessage } from '@moon/kernel';
import { depositRow, tickRow } from '../../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../../testing/postgres';
import type { TestServer } from '../../testing/postgres';
import { withClient } from '../access';
import { EventArchive } from './archive';
import { ShardJournals } from './shard-journal';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

const tickAt = (
  offset: number,
  changes: { partition?: number; producer?: string | null; seq?: number } = {},
): BusMessage => ({
  topic: 'price.ticks',
  partition: changes.partition ?? 3,
  offset,
  event: tickRow(changes.seq ?? offset).event,
  producer: changes.producer ?? null,
});

const relayed = (event: AnyEvent, streamVersion: number): AnyEvent =>
  ({ ...event, headers: { ...event.headers, streamVersion } }) as AnyEvent;

const depositAt = (offset: number, version: number): BusMessage => ({
  topic: 'portfolio.events',
  partition: 1,
  offset,
  event: relayed(depositRow(version, version).event, version),
  producer: 'execution#0',
});

const inStream = (message: BusMessage, streamVersion: number): BusMessage => ({
  ...message,
  event: { ...message.event, headers: { ...message.event.headers, streamVersion } } as AnyEvent,
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('the archive of bus events', () => {
  let database: string;
  let archive: EventArchive;

  beforeEach(async () => {
    database = await test.clusterDatabase();
    archive = new EventArchive(test.access.app, database);
  });
  afterEach(() => archive.close());

  const rows = (table: string): Promise<unknown[]> =>
    withClient(
      test.access.app,
      database,
      async (client) => (await client.query(`SELECT * FROM ${table} ORDER BY bus_offset`)).rows,
    );

  it('stores messages once, however often and in whichever batches they come', async () => {
    const messages = Array.from({ length: 30 }, (_, index) => tickAt(index));
    expect(await archive.append(messages.slice(0, 20))).toMatchObject({ stored: 20 });
    expect(await archive.append(messages.slice(10))).toMatchObject({ stored: 10 });
    expect(await archive.append(messages)).toMatchObject({ stored: 0 });
    expect(await archive.append([messages[0]!, messages[0]!, tickAt(30)])).toMatchObject({ stored: 1 });
    expect(await archive.append([])).toMatchObject({ stored: 0 });
    expect(await rows('events')).toHaveLength(31);
    expect(await rows('bus_references')).toEqual([]);
  });

  it('stores messages once when several recorders are at work', async () => {
    const other = new EventArchive(test.access.app, database);
    const messages = Array.from({ length: 3_000 }, (_, index) => tickAt(index));
    const results = await Promise.all([archive, other].map((recorder) => recorder.append(messages)));
    await other.close();
    expect(results.reduce((sum, { stored }) => sum + stored, 0)).toBe(3_000);
    expect(await rows('events')).toHaveLength(3_000);
  });

  it('fills a range of offsets with the messages that stood there, in their order, with gaps where there were gaps', async () => {
    const messages = [5, 6, 9, 10, 11, 15].map((offset) =>
      tickAt(offset, { producer: offset === 9 ? 'feeds#0' : null }),
    );
    // Neither the order of storing nor another partition makes a difference.
    await archive.append([...messages].reverse());
    await archive.append([tickAt(100, { partition: 4, seq: 500 }), tickAt(7, { partition: 4, seq: 501 })]);
    const from = { topic: 'price.ticks' as const, partition: 3 };
    expect(await collect(archive.fill(from, 6, 15))).toEqual(messages.slice(1, 5));
    expect(await collect(archive.fill(from, 0, 100))).toEqual(messages);
    expect(await collect(archive.fill(from, 16, 100))).toEqual([]);
    expect(await archive.lastOffset(from)).toBe(15);
    expect(await archive.lastOffset({ ...from, partition: 4 })).toBe(100);
    expect(await archive.lastOffset({ ...from, partition: 5 })).toBeNull();
  });

  it('fills ranges of many pages', async () => {
    const messages = Array.from({ length: 5_001 }, (_, index) => tickAt(index * 2));
    await archive.append(messages);
    const filled = await collect(archive.fill({ topic: 'price.ticks', partition: 3 }, 2, 10_000));
    expect(filled.map(({ offset }) => offset)).toEqual(Array.from({ length: 4_999 }, (_, index) => index * 2 + 2));
  });

  it('fills copies of an event, which a resend left on the broker, where they stood', async () => {
    const first = tickAt(1);
    const copy = { ...tickAt(4), event: first.event };
    await archive.append([first, tickAt(2)]);
    expect(await archive.append([copy, tickAt(5)])).toMatchObject({ stored: 1 });
    await archive.append([copy, tickAt(5)]);
    const filled = await collect(archive.fill({ topic: 'price.ticks', partition: 3 }, 0, 10));
    expect(filled).toEqual([first, tickAt(2), copy, tickAt(5)]);
    expect(await rows('events')).toHaveLength(3);
  });

  it('keeps of store-first events where they stood, and fills them from their streams, with their versions (rule 27)', async () => {
    const journals = new ShardJournals(test.access.app, database);
    const journal = journals.open('execution#0');
    await journal.claim('one');
    await journal.append({ afterSeq: 0, toSeq: 5, entries: [], publishedSeq: 0 }, [depositRow(1, 1), depositRow(2, 2)]);
    await journals.close();
    const messages = [depositAt(40, 1), depositAt(41, 2), depositAt(42, 1)];
    expect(await archive.append([...messages, tickAt(40)])).toMatchObject({ stored: 1 });
    const from = { topic: 'portfolio.events' as const, partition: 1 };
    expect(await collect(archive.fill(from, 40, 43))).toEqual(messages);
    expect(await archive.lastOffset(from)).toBe(42);
    expect((await rows('events')).length).toBe(1);
  });

  it('tells of store-first messages that are in no stream as they say they are', async () => {
    const journals = new ShardJournals(test.access.app, database);
    const journal = journals.open('execution#0');
    await journal.claim('one');
    await journal.append({ afterSeq: 0, toSeq: 5, entries: [], publishedSeq: 0 }, [depositRow(1, 1), depositRow(2, 2)]);
    const [first, second] = [inStream(depositAt(40, 1), 1), inStream(depositAt(41, 2), 2)];
    expect(await archive.append([first, tickAt(1), second])).toMatchObject({ stored: 1, strangers: [] });
    const forged = [
      inStream(depositAt(42, 3), 3),
      inStream(depositAt(43, 1), 2),
      inStream({ ...first, offset: 44, event: { ...first.event, source: 'bootstrap' } as AnyEvent }, 1),
      inStream({ ...first, offset: 45, event: { ...first.event, occurredAt: first.event.occurredAt + 1 } }, 1),
    ];
    const told = await archive.append([forged[0]!, first, tickAt(2), ...forged.slice(1)]);
    expect(told).toMatchObject({ stored: 1, strangers: forged });
    // The stream may have it later: then it is found where it stood.
    const from = { topic: 'portfolio.events' as const, partition: 1 };
    await journal.append({ afterSeq: 5, toSeq: 6, entries: [], publishedSeq: 5 }, [depositRow(3, 3)]);
    await journals.close();
    const ids = (await collect(archive.fill(from, 40, 46))).map(({ offset, event }) => [offset, event.id]);
    expect(ids).toEqual([first, second, ...forged.slice(0, 3)].map(({ offset, event }) => [offset, event.id]));
  });
});
