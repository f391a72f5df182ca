import type { Checkpoint, CheckpointEntry, EventPage, EventQuery, EventStore, LogRow } from '@moon/kernel';
import type { Login } from './access';
import { LogAppender } from './append';
import { TextPool } from './pool';
import type { PoolOptions } from './pool';
import { LogReader } from './read';

/** Checkpoints that are kept; older ones go with the next that is saved. */
const CHECKPOINTS_KEPT = 3;

export interface PostgresEventStoreOptions extends PoolOptions {
  /** Notify a relay of new stream events. Left out where nobody listens. */
  wakeRelay?: boolean;
}

/** The event store on PostgreSQL: one run's log, checkpoints and snapshots, in the run's own database. */
export class PostgresEventStore implements EventStore {
  private readonly pool: TextPool;
  private readonly appender: LogAppender;
  private readonly reader: LogReader;

  /** @param login the application's role: it can read and append, and nothing else. */
  constructor(login: Login, database: string, options: PostgresEventStoreOptions = {}) {
    this.pool = new TextPool(login, database, options);
    this.appender = new LogAppender(this.pool, options.wakeRelay ?? false);
    this.reader = new LogReader(this.pool);
  }

  appendBatch(rows: readonly LogRow[]): Promise<void> {
    return this.appender.append(rows);
  }

  readLog(fromSeq: number, limit?: number): AsyncIterable<LogRow> {
    return this.reader.readLog(fromSeq, limit);
  }

  lastSeq(): Promise<number> {
    return this.reader.lastSeq();
  }

  readStream(streamId: string, fromVersion?: number): AsyncIterable<LogRow> {
    return this.reader.readStream(streamId, fromVersion);
  }

  query(query: EventQuery): Promise<EventPage> {
    return this.reader.query(query);
  }

  countsByType(): Promise<Record<string, number>> {
    return this.reader.countsByType();
  }

  async saveCheckpoint(seq: number, entries: readonly CheckpointEntry[], meta: Record<string, unknown>): Promise<void> {
    const states = JSON.stringify(entries.map((entry, ordinal) => ({ ...entry, ordinal })));
    await this.pool.transaction(async (client) => {
      await client.query('DELETE FROM checkpoints WHERE seq = $1', [seq]);
      await client.query('INSERT INTO checkpoints (seq, meta) VALUES ($1, $2)', [seq, JSON.stringify(meta)]);
      await client.query(
        `INSERT INTO checkpoint_entries (seq, ordinal, handler, key, state)
         SELECT $1, ordinal, handler, key, state
         FROM json_to_recordset($2::json) AS entry(ordinal integer, handler text, key text, state json)`,
        [seq, states],
      );
      await client.query(
        `DELETE FROM checkpoints WHERE seq NOT IN (SELECT seq FROM checkpoints ORDER BY seq DESC LIMIT ${CHECKPOINTS_KEPT})`,
      );
    });
  }

  async latestCheckpoint(): Promise<Checkpoint | null> {
    const rows = await this.pool.rows(
      'latest_checkpoint',
      `SELECT c.seq, c.meta, e.handler, e.key, e.state
       FROM (SELECT seq, meta FROM checkpoints ORDER BY seq DESC LIMIT 1) c
       LEFT JOIN checkpoint_entries e ON e.seq = c.seq
       ORDER BY e.ordinal`,
      [],
    );
    const [first] = rows;
    if (!first) return null;
    const entries = rows
      .filter(([, , handler]) => handler !== null)
      .map(([, , handler, key, state]) => ({
        handler: handler!,
        key: key!,
        state: JSON.parse(state ?? 'null') as unknown,
      }));
    return { seq: Number(first[0]), meta: JSON.parse(first[1]!) as Record<string, unknown>, entries };
  }

  async saveSnapshot(streamId: string, version: number, state: unknown): Promise<void> {
    await this.pool.rows(
      'save_snapshot',
      `INSERT INTO snapshots (stream_id, version, state) VALUES ($1, $2::bigint, $3::json)
       ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version, state = excluded.state
       WHERE snapshots.version < excluded.version`,
      [streamId, version, JSON.stringify(state)],
    );
  }

  loadSnapshot(streamId: string): Promise<{ version: number; state: unknown } | null> {
    return this.reader.loadSnapshot(streamId);
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
