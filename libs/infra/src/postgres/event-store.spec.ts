import { depositRow, describeEventStore, tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../testing/postgres';
import type { TestServer } from '../testing/postgres';
import { withClient } from './access';
import { PostgresEventStore } from './event-store';

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
afterAll(() => test.stop());

describeEventStore({
  name: 'PostgreSQL',
  isShared: true,
  create: async () => {
    const database = await test.runDatabase();
    const open = () => new PostgresEventStore(test.access.app, database);
    const store = open();
    return { store, again: () => Promise.resolve(open()), close: () => store.close() };
  },
});

describe('the log in PostgreSQL', () => {
  it('[SYS-3] refuses update, delete and truncate of the log, by privilege and by trigger', async () => {
    const database = await test.runDatabase();
    const store = new PostgresEventStore(test.access.app, database);
    await store.appendBatch([tickRow(1), depositRow(2, 1)]);
    await store.close();
    const changes = ['events', 'stream_events', 'log_batches'].flatMap((table) => [
      table === 'log_batches' ? `UPDATE ${table} SET last_seq = 9` : `UPDATE ${table} SET data = '{}'`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
      ...(table === 'log_batches' ? [] : [`DELETE FROM ${table}_2024_02`, `TRUNCATE ${table}_2024_02`]),
    ]);
    const refusals = async (login: 'app' | 'owner'): Promise<(string | undefined)[]> =>
      withClient(test.access[login], database, async (client) => {
        const codes = [];
        for (const change of changes) {
          codes.push(
            await client.query(change).then(
              () => 'done',
              (error: { code?: string }) => error.code,
            ),
          );
        }
        return codes;
      });
    // 42501: the application's role may not. MN403: the log's own trigger, which stops the owner's role too.
    expect(new Set(await refusals('app'))).toEqual(new Set(['42501']));
    expect(new Set(await refusals('owner'))).toEqual(new Set(['MN403']));
    const escapes = [
      'ALTER TABLE events DISABLE TRIGGER ALL',
      "SET session_replication_role = 'replica'",
      'DROP TABLE events',
      'DROP TRIGGER refuse_change ON events',
      'CREATE TABLE mine (a int)',
      'SET ROLE moon_owner',
      'UPDATE log SET seq = 1',
    ];
    await withClient(test.access.app, database, async (client) => {
      for (const escape of escapes) await expect(client.query(escape)).rejects.toThrow();
      const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM log');
      expect(rows).toEqual([{ count: '2' }]);
    });
  });

  it('upcasts what was stored with an older schema version', async () => {
    const database = await test.runDatabase();
    const store = new PostgresEventStore(test.access.app, database);
    const event = {
      ...tickRow(1).event,
      type: 'signal.generated',
      schemaVersion: 1,
      data: {
        event_type: 'signal.generated',
        token: 'BTC',
        action: 'BUY',
        score: 78,
        confidence: 0.85,
        agent: 'chart',
      },
    };
    await store.appendBatch([{ seq: 1, event: event as never }]);
    const { rows } = await store.query({ limit: 1 });
    expect(rows[0]!.event).toMatchObject({ schemaVersion: 2, data: { reason: '', timestamp: event.occurredAt } });
    await store.close();
  });

  it('refuses a cursor that is none and a page without a sensible size', async () => {
    const store = new PostgresEventStore(test.access.app, await test.runDatabase());
    await expect(store.query({ limit: 10, cursor: 'x' })).rejects.toThrow(/no cursor/);
    await expect(store.query({ limit: 0 })).rejects.toThrow(/1 to 10000/);
    await store.close();
  });

  it('says so when no server answers', async () => {
    const store = new PostgresEventStore({ ...test.access.app, port: 1 }, 'nowhere');
    await expect(store.lastSeq()).rejects.toThrow(/ECONNREFUSED/);
    await store.close();
  });
});
