import { depositRow, tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../testing/postgres';
import type { TestServer } from '../testing/postgres';
import { withClient } from './access';
import { migrateDown, migrateUp } from './data-source';
import type { DatabaseKind } from './data-source';
import { PostgresEventStore } from './event-store';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

/** Everything that the schema holds, with the shape of its parts; empty after all migrations were taken back. */
async function schemaOf(database: string): Promise<string[]> {
  return withClient(test.access.owner, database, async (client) => {
    const { rows } = await client.query<{ what: string }>(`
      SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS what
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_migrations'
      UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
      UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT 'sequence ' || sequencename FROM pg_sequences
        WHERE schemaname = 'public' AND sequencename NOT LIKE 'schema_migrations%'
      UNION ALL SELECT 'grant ' || grantee || ' ' || privilege_type || ' on ' || table_name
        FROM information_schema.role_table_grants WHERE grantee = 'moon_app'
      ORDER BY what`);
    return rows.map(({ what }) => what);
  });
}

describe('migrations', () => {
  it.each<[DatabaseKind, number]>([
    ['run', 3],
    ['registry', 4],
    ['cluster', 10],
  ])('[NFM-4] of a %s database go up, all the way down, and up again to the same schema', async (kind, count) => {
    const database = `moon_migrate_${kind}`;
    expect(await migrateUp(test.access, database, kind)).toBe(count);
    const first = await schemaOf(database);
    expect(first.length).toBeGreaterThan(10);
    expect(await migrateUp(test.access, database, kind)).toBe(0);
    for (let step = 1; step <= count; step += 1) await migrateDown(test.access, database, kind, 1);
    expect(await schemaOf(database)).toEqual([]);
    expect(await migrateUp(test.access, database, kind)).toBe(count);
    expect(await schemaOf(database)).toEqual(first);
  });

  it('[NFM-4] go down with a filled log, too', async () => {
    const database = 'moon_migrate_filled';
    await migrateUp(test.access, database, 'run');
    const store = new PostgresEventStore(test.access.app, database);
    await store.appendBatch([tickRow(1), depositRow(2, 1)]);
    await store.close();
    await migrateDown(test.access, database, 'run', 3);
    expect(await schemaOf(database)).toEqual([]);
  });

  it('make a partition for each month that a batch needs, and no other', async () => {
    const database = await test.runDatabase();
    const store = new PostgresEventStore(test.access.app, database);
    const at = [Date.UTC(2014, 10, 30), Date.UTC(2026, 0, 31, 23, 59, 59, 999), Date.UTC(2026, 1, 1)];
    await store.appendBatch(at.map((time, index) => tickRow(index + 1, { at: time })));
    const partitions = await withClient(test.access.owner, database, async (client) => {
      const { rows } = await client.query<{ name: string; count: string }>(`
        SELECT tableoid::regclass::text AS name, count(*) FROM events GROUP BY 1
        UNION ALL SELECT inhrelid::regclass::text, 0 FROM pg_inherits WHERE inhparent = 'stream_events'::regclass ORDER BY 1`);
      return rows.map(({ name, count }) => `${name} ${count}`);
    });
    await store.close();
    expect(partitions).toEqual([
      'events_2014_11 1',
      'events_2026_01 1',
      'events_2026_02 1',
      'stream_events_2014_11 0',
      'stream_events_2026_01 0',
      'stream_events_2026_02 0',
    ]);
  });

  it('have an index on type, token and time, and none that a bus event of its own correlation would cost', async () => {
    const schema = await schemaOf(await test.runDatabase());
    expect(schema).toContainEqual(expect.stringMatching(/^index .*events_type.*\(type, token, occurred_at, seq\)/));
    expect(schema).toContainEqual(
      expect.stringMatching(/^index .*events_correlation.*WHERE \(correlation_id IS NOT NULL\)/),
    );
  });
});
