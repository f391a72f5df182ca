import { resolve } from 'node:path';
import type { Client } from 'pg';
import { depositRow, tickRow } from '../../../../kernel/src/contracts/event-store.contract';
import { runShaped } from '../../testing/run-shaped';
import { startTimescale } from '../../testing/timescale';
import type { TimescaleServer } from '../../testing/timescale';
import { withClient } from '../access';
import { migrateDown, migrateUp } from '../data-source';
import { StoreInspection } from '../inspection';
import { EventArchive } from './archive';
import { Retention, type LogDrop } from './retention';
import { ShardJournals } from './shard-journal';

const DATABASE = 'postgres';
const MIGRATIONS = 10;
const WEEK_MS = 7 * 86_400_000;
const EVENTS = 12_000;
const PACKET = 50;
/** A Thursday: chunks begin then. */
const FROM = Date.UTC(2024, 0, 4);
/** Four weeks of ticks. */
const messages = runShaped(EVENTS, FROM, (4 * WEEK_MS * 5) / EVENTS);

/** The WebAssembly build: its one user is the owner and the application; roles are tested on the embedded server. */
describe('the log of a cluster on TimescaleDB', () => {
  let server: TimescaleServer;

  const sql = <T>(work: (client: Client) => Promise<T>): Promise<T> => withClient(server.login, DATABASE, work);
  const rows = (text: string): Promise<Record<string, unknown>[]> =>
    sql(async (client) => (await client.query<Record<string, unknown>>(text)).rows);
  const one = async (text: string): Promise<unknown> => Object.values((await rows(text))[0]!)[0];
  /** One connection at a time, and messages of less than a packet of 64 kB: more its socket cannot do. */
  const append = async (batch: typeof messages): Promise<number> => {
    await forget();
    const archive = new EventArchive(server.login, DATABASE, { connections: 1 });
    try {
      let stored = 0;
      for (let from = 0; from < batch.length; from += PACKET) {
        stored += (await archive.append(batch.slice(from, from + PACKET))).stored;
      }
      return stored;
    } finally {
      await archive.close();
    }
  };
  /** All connections are one session of its backend, in which the statements of the one before are still prepared. */
  const forget = (): Promise<unknown> => rows('DEALLOCATE ALL');
  const content = (): Promise<unknown> =>
    one("SELECT md5(string_agg(t::text, E'\\n' ORDER BY position)) FROM events t");
  const compress = (): Promise<unknown> =>
    rows("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('events') AS c");

  beforeAll(async () => {
    server = await startTimescale(resolve(__dirname, '../../../../..'));
    await sql(async (client) => {
      for (const role of ['moon_owner', 'moon_app']) await client.query(`CREATE ROLE ${role}`);
    });
    expect(await migrateUp({ owner: server.login, app: server.login }, DATABASE, 'cluster')).toBe(MIGRATIONS);
    await append(messages);
  }, 180_000);
  afterAll(() => server.stop());

  it('[EVS-1] keeps both event tables as hypertables of weekly chunks, indexed by type, token and time', async () => {
    expect(
      await rows(
        `SELECT hypertable_name AS name, time_interval::text AS chunk FROM timescaledb_information.dimensions ORDER BY 1`,
      ),
    ).toEqual([
      { name: 'events', chunk: '7 days' },
      { name: 'stream_events', chunk: '7 days' },
    ]);
    expect(await one("SELECT count(*)::integer FROM show_chunks('events')")).toBe(4);
    const indexes = await rows("SELECT indexdef AS def FROM pg_indexes WHERE tablename = 'events' ORDER BY 1");
    expect(indexes.map(({ def }) => def)).toContainEqual(expect.stringMatching(/\(type, token, occurred_at, seq\)/));
    expect(indexes.map(({ def }) => def)).toContainEqual(expect.stringMatching(/UNIQUE .*\(event_id, occurred_at\)/));
    const [first] = await rows('SELECT * FROM events ORDER BY position LIMIT 1');
    const { event } = messages[0]!;
    expect(first).toMatchObject({ event_id: event.id, type: event.type, source: 'synthetic', data: event.data });
    expect(Object.keys(first!)).toEqual(
      expect.arrayContaining([
        'correlation_id',
        'causation_id',
        'schema_version',
        'occurred_at',
        'shard',
        'bus_offset',
      ]),
    );
  });

  it('sets the columnstore and its policy', async () => {
    expect(
      await rows(`SELECT attname AS name, segmentby_column_index AS segment, orderby_column_index AS "order"
        FROM timescaledb_information.compression_settings WHERE hypertable_name = 'events' ORDER BY 2, 3`),
    ).toEqual([
      { name: 'type', segment: 1, order: null },
      { name: 'token', segment: 2, order: null },
      { name: 'occurred_at', segment: null, order: 1 },
      { name: 'position', segment: null, order: 2 },
    ]);
    const jobs = await rows(
      "SELECT hypertable_name AS name FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' ORDER BY 1",
    );
    expect(jobs).toEqual([{ name: 'events' }, { name: 'stream_events' }]);
  });

  it('compresses events in the shape of a run by 80 % or more, and keeps them readable', async () => {
    const before = await content();
    await compress();
    const [stats] = await rows(`SELECT sum(before_compression_total_bytes)::float8 AS before,
      sum(after_compression_total_bytes)::float8 AS after FROM chunk_compression_stats('events')`);
    const { before: bytes, after: left } = stats as { before: number; after: number };
    // Heap, toast and indexes, before and after.
    expect(1 - left / bytes).toBeGreaterThan(0.8);
    expect(await content()).toBe(before);
  });

  it('looks for an id only in the compressed chunks that may have it', async () => {
    await compress();
    await forget();
    const inspection = new StoreInspection(server.login, DATABASE);
    const { id } = messages[0]!.event;
    const found = await inspection.eventsByIdPrefix(id, 5);
    await inspection.close();
    expect(found.map(({ event }) => event.id)).toEqual([id]);
    const [statement] = await rows("SELECT name FROM pg_prepared_statements WHERE name LIKE 'by_id%'");
    const plan = await rows(`EXPLAIN EXECUTE ${statement!.name as string} ('${id}', 5)`);
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/bloom1_contains/);
  });

  it('[SYS-3] refuses every change of the log, in chunks and compressed chunks, too', async () => {
    await compress();
    const chunk = await one("SELECT c::text FROM show_chunks('events') AS c ORDER BY 1 LIMIT 1");
    const before = await content();
    const answers: unknown[] = [];
    for (const change of [
      "UPDATE events SET data = '{}'",
      "DELETE FROM events WHERE type = 'price.tick'",
      'TRUNCATE events',
      `UPDATE ${chunk as string} SET data = '{}'`,
      `DELETE FROM ${chunk as string}`,
    ]) {
      const changed = sql(async (client) => (await client.query(change)).rowCount);
      answers.push(await changed.catch((error: { code?: string }) => error.code));
    }
    // Named directly, a compressed chunk has no rows to change: they are in its columnstore.
    expect(answers).toEqual(['MN403', 'MN403', 'MN403', 0, 0]);
    expect(await content()).toBe(before);
  });

  it('takes messages again and late ones, also into compressed chunks', async () => {
    await compress();
    expect(await append(messages.slice(0, 3_000))).toBe(0);
    const late = { ...messages[0]!, offset: EVENTS, event: tickRow(1, { at: FROM + 5 }).event };
    expect(await append([messages[1]!, late])).toBe(1);
    expect(await append([late])).toBe(0);
    expect(await one('SELECT count(*)::integer FROM events')).toBe(EVENTS + 1);
    await compress();
    expect(await append([late, messages[2]!])).toBe(0);
    expect(await one('SELECT count(*)::integer FROM bus_references')).toBe(0);
  });

  it('keeps journals and streams as elsewhere', async () => {
    await forget();
    const journals = new ShardJournals(server.login, DATABASE, { connections: 1 });
    const journal = journals.open('execution#0');
    await journal.claim('spec');
    const batch = { afterSeq: 0, toSeq: 3, entries: [], publishedSeq: 0 };
    for (let attempt = 1; attempt <= 2; attempt += 1) await journal.append(batch, [depositRow(1, 1), depositRow(2, 2)]);
    await journals.close();
    expect(await one('SELECT count(*)::integer FROM stream_events')).toBe(2);
  });

  it('[EVS-3] drops the chunks that the policy lets go, compressed or not, and writes each drop down', async () => {
    const total = (await one('SELECT count(*)::integer FROM events')) as number;
    // Kept: what is younger than the end of the second week.
    await rows(`UPDATE retention_policy SET keep = now() - to_timestamp(${(FROM + 2 * WEEK_MS + 1_000) / 1000})`);
    const known = await one(
      `SELECT count(*)::integer FROM events WHERE occurred_at < to_timestamp(${(FROM + WEEK_MS) / 1000})`,
    );
    const drops: LogDrop[] = [];
    const retention = new Retention(server.login, DATABASE);
    await retention.dropExpired((drop) => drops.push(drop), { nodes: 1 });
    expect(drops[0]!.events).toBe(known);
    expect(drops.map(({ from, to }) => [from, to])).toEqual([
      [FROM, FROM + WEEK_MS],
      [FROM + WEEK_MS, FROM + 2 * WEEK_MS],
    ]);
    const left = await one('SELECT count(*)::integer FROM events');
    expect(left).toBe(total - drops.reduce((sum, { events }) => sum + events, 0));
    expect(drops.every(({ events, merkleRoot }) => events > 1_000 && /^[0-9a-f]{64}$/.test(merkleRoot))).toBe(true);
    expect(await one('SELECT min(occurred_at) FROM events')).toEqual(new Date(FROM + 2 * WEEK_MS));
    expect(await one('SELECT count(*)::integer FROM stream_events')).toBe(2);
    await retention.dropExpired((drop) => drops.push(drop));
    expect(drops).toHaveLength(2);
  });

  it('[NFM-4] goes all the way down and up again, with compressed chunks in it', async () => {
    const access = { owner: server.login, app: server.login };
    await migrateDown(access, DATABASE, 'cluster', MIGRATIONS);
    expect(await one('SELECT count(*)::integer FROM timescaledb_information.hypertables')).toBe(0);
    expect(await migrateUp(access, DATABASE, 'cluster')).toBe(MIGRATIONS);
    expect(await one('SELECT count(*)::integer FROM events')).toBe(0);
  });
});
