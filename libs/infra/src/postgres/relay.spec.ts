import type { LogRow } from '@moon/kernel';
import { depositRow, tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../testing/postgres';
import type { TestServer } from '../testing/postgres';
import { withClient } from './access';
import { PostgresEventStore } from './event-store';
import { StreamRelay } from './relay';
import { toStoredRow } from './rows';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

const WRITERS = 8;
const BATCHES = 40;

const until = async (condition: () => boolean, what: string): Promise<void> => {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1_500) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('the relay of stream events', () => {
  let database: string;
  let relays: StreamRelay[];
  let stores: PostgresEventStore[];

  beforeEach(async () => {
    database = await test.runDatabase();
    relays = [];
    stores = [];
  });
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await Promise.all(stores.map((store) => store.close()));
  });

  const openStore = (): PostgresEventStore => {
    const store = new PostgresEventStore(test.access.app, database, { wakeRelay: true, connections: 1 });
    stores.push(store);
    return store;
  };
  const startRelay = (publish: (rows: readonly LogRow[]) => Promise<void>, batchRows = 50): StreamRelay => {
    const relay = new StreamRelay(test.access.app, database, publish, { batchRows, retryMs: 5 });
    relays.push(relay);
    relay.start();
    return relay;
  };

  it('loses nothing of writers whose transactions overlap, and keeps each stream in order', async () => {
    const published: LogRow[] = [];
    startRelay(async (rows) => void published.push(...rows));
    let nextSeq = 1;
    const written: LogRow[] = [];
    /** Batches of three deposits and a tick, half of them in a transaction that stays open for a while. */
    const write = async (writer: number): Promise<void> => {
      const store = openStore();
      const portfolio = `p${writer}`;
      await withClient(test.access.app, database, async (client) => {
        for (let batch = 0; batch < BATCHES; batch += 1) {
          const first = nextSeq;
          nextSeq += 4;
          const deposits = [0, 1, 2].map((index) => depositRow(first + index, batch * 3 + index + 1, portfolio));
          const rows = [...deposits, tickRow(first + 3)];
          written.push(...deposits);
          if (batch % 2 === 0) {
            await store.appendBatch(rows);
            continue;
          }
          await client.query('BEGIN');
          await appendWith(client, rows);
          await client.query('SELECT pg_sleep($1)', [((writer * 7 + batch) % 10) / 1000]);
          await client.query('COMMIT');
        }
      });
    };
    await openStore().appendBatch([tickRow(1_000_000)]);
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    await until(() => published.length >= written.length, 'everything published');

    expect(published).toHaveLength(written.length);
    expect(new Set(published.map(({ event }) => event.id))).toEqual(new Set(written.map(({ event }) => event.id)));
    for (let writer = 0; writer < WRITERS; writer += 1) {
      const versions = published.filter(({ event }) => event.key === `p${writer}`).map(({ version }) => version);
      expect(versions).toEqual(Array.from({ length: BATCHES * 3 }, (_, index) => index + 1));
    }
  });

  it('publishes stream events only, never archived bus events', async () => {
    const published: LogRow[] = [];
    startRelay(async (rows) => void published.push(...rows));
    await openStore().appendBatch([tickRow(1), depositRow(2, 1), tickRow(3)]);
    await until(() => published.length > 0, 'the deposit published');
    expect(published).toEqual([depositRow(2, 1)]);
  });

  it('holds back what is not yet certain: a transaction that began earlier may still commit', async () => {
    const published: number[] = [];
    startRelay(async (rows) => void published.push(...rows.map(({ seq }) => seq)));
    const store = openStore();
    await store.appendBatch([depositRow(1, 1, 'first')]);
    await until(() => published.length === 1, 'the first one');
    await withClient(test.access.app, database, async (client) => {
      await client.query('BEGIN');
      await appendWith(client, [depositRow(2, 1, 'slow')]);
      await store.appendBatch([depositRow(3, 1, 'quick')]);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(published).toEqual([1]);
      await client.query('COMMIT');
    });
    await until(() => published.length === 3, 'both');
    expect(published).toEqual([1, 2, 3]);
  });

  it('publishes a batch again when it was not acknowledged, and goes on where it stopped', async () => {
    const attempts: number[][] = [];
    let failures = 2;
    const publish = async (rows: readonly LogRow[]): Promise<void> => {
      attempts.push(rows.map(({ seq }) => seq));
      if (failures-- > 0) throw new Error('The broker is down.');
    };
    const relay = startRelay(publish, 2);
    const store = openStore();
    await store.appendBatch([depositRow(1, 1), depositRow(2, 2), depositRow(3, 3)]);
    await until(() => attempts.flat().includes(3), 'the third');
    expect(attempts).toEqual([[1, 2], [1, 2], [1, 2], [3]]);
    await relay.stop();
    relays = [];

    await store.appendBatch([depositRow(4, 4)]);
    const later: number[] = [];
    startRelay(async (rows) => void later.push(...rows.map(({ seq }) => seq)));
    await until(() => later.length > 0, 'the fourth');
    expect(later).toEqual([4]);
  });

  it('starts from the beginning when its cursor belongs to another cluster', async () => {
    await openStore().appendBatch([depositRow(1, 1)]);
    await withClient(test.access.app, database, (client) =>
      client.query("INSERT INTO relay_cursors VALUES ('stream-events', 'another', '999999999', 999999999)"),
    );
    const published: number[] = [];
    startRelay(async (rows) => void published.push(...rows.map(({ seq }) => seq)));
    await until(() => published.length > 0, 'the first');
    expect(published).toEqual([1]);
  });
});

/** The same statement as the store's, inside a transaction of the caller. */
async function appendWith(
  client: { query(text: string, values: unknown[]): Promise<unknown> },
  rows: readonly LogRow[],
) {
  const stream = rows.filter(({ streamId }) => streamId !== undefined);
  const bus = rows.filter(({ streamId }) => streamId === undefined);
  const times = rows.map(({ event }) => event.occurredAt);
  const first = stream[0]!;
  await client.query('SELECT append_log($1, $2, $3, $4, $5, $6, $7, $8, $9, true)', [
    rows[0]!.seq,
    rows[rows.length - 1]!.seq,
    Math.min(...times),
    Math.max(...times),
    bus.length > 0 ? JSON.stringify(bus.map(toStoredRow)) : null,
    JSON.stringify(stream.map(toStoredRow)),
    [first.streamId],
    [first.version! - 1],
    [stream[stream.length - 1]!.version],
  ]);
}
