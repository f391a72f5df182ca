import type { EventPage, EventQuery, EventStore, LogRow } from '@moon/kernel';
import type { Login } from '../access';
import { LogQueries, PAGE_ROWS } from '../log-queries';
import { keysetRows } from '../paged-rows';
import { TextPool } from '../pool';
import type { PoolOptions, TextRow } from '../pool';
import { fromColumns, ROW_COLUMNS } from '../rows';
import { EmittedRows } from './emitted';

/** The reading half of an event store: what tools need of a log, whoever writes it. */
export type ReadableLog = Pick<
  EventStore,
  'readLog' | 'lastSeq' | 'readStream' | 'query' | 'countsByType' | 'loadSnapshot' | 'close'
>;

/** Who owns a shard, and how far it is. */
export interface ShardStatus {
  shard: string;
  epoch: number;
  owner: string;
  lastSeq: number;
  publishedSeq: number;
  /** Epoch ms. */
  claimedAt: number;
}

const LOG_PAGE = `SELECT ${ROW_COLUMNS} FROM log WHERE position > $1::bigint ORDER BY position LIMIT $2::bigint`;

/** What was handed out last; the greatest position of a compressed chunk would have to be searched for. */
const LAST_POSITION = "SELECT coalesce(pg_sequence_last_value('log_position'), 0)";

const SHARDS = `SELECT shard, epoch, owner, seq, published_seq, date_part('epoch', claimed_at) * 1000
  FROM shards ORDER BY shard`;

const COUNTS = `SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM stream_events),
  (SELECT count(*) FROM bus_references), (SELECT count(*) FROM journal)`;

const PRODUCERS = `SELECT event_id, shard FROM log WHERE event_id = ANY ($1::uuid[]) AND shard IS NOT NULL`;

/** How much a cluster's log holds. */
export interface ClusterCounts {
  /** Bus events that the recorder archived. */
  events: number;
  /** Events that shards appended to streams. */
  streamEvents: number;
  /** Messages whose event is in the log for another reason. */
  references: number;
  /** Batches of all journals. */
  journalBatches: number;
}

/**
 * The log of a deployment of many processes, for reading. Positions are given when a row is written and seen when it is
 * committed: near its end the log may still get rows below others that are there already. What must miss none reads by
 * the relay, by streams or by journals.
 */
export class ClusterLog implements ReadableLog {
  private readonly pool: TextPool;
  private readonly queries: LogQueries;
  /** What each shard left in the log. */
  readonly emitted: EmittedRows;

  /** @param login the application's role */
  constructor(login: Login, database: string, options: PoolOptions = {}) {
    this.pool = new TextPool(login, database, options);
    this.queries = new LogQueries(this.pool);
    this.emitted = new EmittedRows(this.pool);
  }

  /** Rows above `fromSeq` in the order of their positions; positions have gaps. */
  readLog(fromSeq: number, limit = Infinity): AsyncIterable<LogRow> {
    const page = (after: number, rows: number): Promise<TextRow[]> =>
      this.pool.rows('cluster_page', LOG_PAGE, [after, rows]);
    return keysetRows(
      { after: fromSeq, pageRows: PAGE_ROWS, limit, keyOf: (row) => Number(row[0]), page },
      fromColumns,
    );
  }

  /** No row that can be seen is above it; there may be none at it. */
  async lastSeq(): Promise<number> {
    const [row] = await this.pool.rows('last_position', LAST_POSITION, []);
    return Number(row![0]);
  }

  readStream(streamId: string, fromVersion?: number): AsyncIterable<LogRow> {
    return this.queries.readStream(streamId, fromVersion);
  }

  query(query: EventQuery): Promise<EventPage> {
    return this.queries.query(query);
  }

  countsByType(): Promise<Record<string, number>> {
    return this.queries.countsByType();
  }

  loadSnapshot(streamId: string): Promise<{ version: number; state: unknown } | null> {
    return this.queries.loadSnapshot(streamId);
  }

  async shards(): Promise<ShardStatus[]> {
    const rows = await this.pool.rows('shards', SHARDS, []);
    return rows.map(([shard, epoch, owner, seq, published, at]) => ({
      shard: shard!,
      epoch: Number(epoch),
      owner: owner!,
      lastSeq: Number(seq),
      publishedSeq: Number(published),
      claimedAt: Math.round(Number(at)),
    }));
  }

  /** Counts everything: seconds for a long log. */
  async counts(): Promise<ClusterCounts> {
    const [row] = await this.pool.rows('cluster_counts', COUNTS, []);
    const [events, streamEvents, references, journalBatches] = row!.map(Number) as [number, number, number, number];
    return { events, streamEvents, references, journalBatches };
  }

  /** The shards that emitted these events; what no shard emitted is not in it. */
  async producersOf(eventIds: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.pool.rows('producers', PRODUCERS, [eventIds]);
    return new Map(rows.map(([id, shard]) => [id!, shard!]));
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
