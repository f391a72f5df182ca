import { depositRow, tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../testing/postgres';
import type { TestServer } from '../testing/postgres';
import { migrateDown, pendingMigrations } from './data-source';
import { PostgresEventStore } from './event-store';
import { StoreInspection } from './inspection';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

describe('the inspection of a log', () => {
  let store: PostgresEventStore;
  let inspection: StoreInspection;
  const rows = [1, 2, 3, 4].map((seq) => tickRow(seq)).concat(depositRow(5, 1, 'main'), depositRow(6, 1, 'm_in'));

  beforeAll(async () => {
    const database = await test.runDatabase();
    store = new PostgresEventStore(test.access.app, database);
    inspection = new StoreInspection(test.access.app, database);
    await store.appendBatch(rows);
  });
  afterAll(async () => {
    await inspection.close();
    await store.close();
  });

  it('finds events by the beginning of an id, with or without dashes', async () => {
    const { id } = rows[2]!.event;
    const rival = rows.filter(({ event }) => event.id.startsWith(id.slice(0, 6))).length;
    for (const prefix of [
      id,
      id.toUpperCase(),
      id.slice(0, 14),
      id.replaceAll('-', ''),
      id.slice(0, 6).toUpperCase(),
    ]) {
      const found = await inspection.eventsByIdPrefix(prefix, 10);
      expect(found).toHaveLength(prefix.length > 6 ? 1 : rival);
      expect(found.map(({ event }) => event.id)).toContain(id);
    }
    await expect(inspection.eventsByIdPrefix('', 10)).rejects.toThrow(/not the beginning/);
    await expect(inspection.eventsByIdPrefix("'; --", 10)).rejects.toThrow(RangeError);
  });

  it('finds streams by the beginning of their name, taken as it is', async () => {
    expect(await inspection.streamsByPrefix('portfolio-', 10)).toEqual(['portfolio-m_in', 'portfolio-main']);
    expect(await inspection.streamsByPrefix('portfolio-m_', 10)).toEqual(['portfolio-m_in']);
    expect(await inspection.streamsByPrefix('%', 10)).toEqual([]);
  });

  it('tells which ids are stored, and what is stored at an instant', async () => {
    const times = rows.map(({ event }) => event.occurredAt);
    const range = [Math.min(...times), Math.max(...times)] as const;
    const strange = '00000000-0000-5000-8000-000000000001';
    const ids = [rows[0]!.event.id, strange, rows[4]!.event.id];
    expect(await inspection.knownIds(ids, ...range)).toEqual(new Set([ids[0], ids[2]]));
    const at = rows[1]!.event.occurredAt;
    expect(await inspection.factsAt(['price.tick'], ['BTC'], [at, at + 1])).toEqual([rows[1]]);
    expect(await inspection.factsAt(['price.tick'], ['ETH'], [at])).toEqual([]);
    expect(await inspection.factsAt(['price.tick'], ['BTC'], [])).toEqual([]);
  });
});

describe('pending migrations', () => {
  it('are those that a database still lacks', async () => {
    const database = await test.runDatabase();
    expect(await pendingMigrations(test.access, database, 'run')).toEqual([]);
    await migrateDown(test.access, database, 'run', 1);
    expect(await pendingMigrations(test.access, database, 'run')).toEqual([expect.stringMatching(/^RunState/)]);
    await expect(pendingMigrations(test.access, 'nowhere', 'run')).rejects.toThrow(/does not exist/);
  });
});
