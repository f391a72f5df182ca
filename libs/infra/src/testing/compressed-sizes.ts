import type { BusMessage } from '@moon/kernel';
import { Client } from 'pg';
import { EventArchive } from '../postgres/cluster/archive';
import { migrateUp } from '../postgres/data-source';
import type { TimescaleServer } from './timescale';

/** Bytes by TimescaleDB's own account. */
export interface CompressedSizes {
  /** Heap, TOAST and all indexes, before. */
  before: number;
  /** The heap alone, before. */
  heap: number;
  /** Everything, afterwards. */
  after: number;
}

const DATABASE = 'postgres';
/** The socket of the WebAssembly build takes no message of more than a packet. */
const PACKET = 50;

const SIZES = `SELECT sum(before_compression_total_bytes)::float8 AS before,
  sum(after_compression_total_bytes)::float8 AS after, sum(before_compression_table_bytes)::float8 AS heap
  FROM chunk_compression_stats('events')`;

/**
 * Archives messages in the log of a deployment, on a TimescaleDB that has none yet, and compresses all of their chunks.
 * @throws Error afterwards the log does not hold as many events as there were messages
 */
export async function compressedSizes(
  server: TimescaleServer,
  messages: readonly BusMessage[],
): Promise<CompressedSizes> {
  await asked(server, async (sql) => {
    for (const role of ['moon_owner', 'moon_app']) await sql.query(`CREATE ROLE ${role}`);
  });
  await migrateUp({ owner: server.login, app: server.login }, DATABASE, 'cluster');
  const archive = new EventArchive(server.login, DATABASE, { connections: 1 });
  for (let from = 0; from < messages.length; from += PACKET) await archive.append(messages.slice(from, from + PACKET));
  await archive.close();
  return asked(server, async (sql) => {
    await sql.query("SELECT compress_chunk(c) FROM show_chunks('events') AS c");
    const { rows } = await sql.query<CompressedSizes>(SIZES);
    const kept = await sql.query<{ events: number }>('SELECT count(*)::integer AS events FROM events');
    if (kept.rows[0]!.events !== messages.length)
      throw new Error(`${kept.rows[0]!.events} of ${messages.length} events are left.`);
    return rows[0]!;
  });
}

async function asked<T>(server: TimescaleServer, work: (sql: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...server.login, database: DATABASE });
  await client.connect();
  return work(client).finally(() => client.end());
}
