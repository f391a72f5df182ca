import { join } from 'node:path';
import { EventArchive, migrateUp } from '@moon/infra';
import { Client } from 'pg';
import { runShaped } from '../libs/infra/src/testing/run-shaped';
import { startTimescale } from '../libs/infra/src/testing/timescale';
import type { BenchFigure, BenchSize } from './figure';

/**
 * Bytes of bus events in the cluster's log on TimescaleDB (the WebAssembly build), before and after their chunks are
 * compressed, by TimescaleDB's own account. Base of the ratio: heap, TOAST and all indexes of the same rows uncompressed.
 * Events have the shape of a run's: 88 % prices of five tokens, signals with a cause and a reason, sentiment; ids as
 * random as the platform's (UUIDv5), four weekly chunks. Their number is the row count of a figure, the count found after
 * compression its proof that none is missing.
 */

const DATABASE = 'postgres';
const EVENTS: Record<BenchSize, number> = { full: 120_000, short: 12_000 };
const FROM = Date.UTC(2024, 0, 4);
const FOUR_WEEKS_MS = 28 * 86_400_000;
const TOKENS = 5;
/** The socket of the WebAssembly build takes no message of more than a packet. */
const PACKET = 50;

const SIZES = `SELECT sum(before_compression_total_bytes)::float8 AS before,
  sum(after_compression_total_bytes)::float8 AS after, sum(before_compression_table_bytes)::float8 AS heap
  FROM chunk_compression_stats('events')`;

export async function run(size: BenchSize): Promise<BenchFigure[]> {
  const count = EVENTS[size];
  const server = await startTimescale(join(__dirname, '../..'));
  try {
    const client = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
      const connection = new Client({ ...server.login, database: DATABASE });
      await connection.connect();
      return work(connection).finally(() => connection.end());
    };
    await client(async (sql) => {
      for (const role of ['moon_owner', 'moon_app']) await sql.query(`CREATE ROLE ${role}`);
    });
    await migrateUp({ owner: server.login, app: server.login }, DATABASE, 'cluster');
    const archive = new EventArchive(server.login, DATABASE, { connections: 1 });
    const messages = runShaped(count, FROM, (FOUR_WEEKS_MS * TOKENS) / count);
    for (let from = 0; from < count; from += PACKET) await archive.append(messages.slice(from, from + PACKET));
    await archive.close();
    return await client(async (sql) => {
      await sql.query("SELECT compress_chunk(c) FROM show_chunks('events') AS c");
      const { rows } = await sql.query<{ before: number; after: number; heap: number }>(SIZES);
      const kept = await sql.query<{ events: number }>('SELECT count(*)::integer AS events FROM events');
      if (kept.rows[0]!.events !== count) throw new Error(`${kept.rows[0]!.events} of ${count} events are left.`);
      return figuresOf(rows[0]!, count);
    });
  } finally {
    await server.stop();
  }
}

function figuresOf(
  { before, after, heap }: { before: number; after: number; heap: number },
  count: number,
): BenchFigure[] {
  const rounded = (value: number): number => Number(value.toPrecision(4));
  const figure = (metric: string, value: number, baseline: number | null, unit: string): BenchFigure => ({
    bench: 'store-compression',
    metric,
    value: rounded(value),
    unit,
    baseline: baseline === null ? null : rounded(baseline),
    ratio: baseline === null ? null : rounded(value / baseline),
  });
  return [
    figure('compressed, of heap and indexes', after / count, before / count, 'B/event'),
    figure('compressed, of heap alone', after / count, heap / count, 'B/event'),
    figure('saved, base heap and indexes', (1 - after / before) * 100, null, '%'),
  ];
}
