import { CATALOG, EVENT_TYPES } from '@moon/events';
import type { AnyEvent, TopicName } from '@moon/events';
import { STREAM_VERSION } from '@moon/kernel';
import type { BusMessage, BusPartition, LogRow } from '@moon/kernel';
import type { Login } from '../access';
import { Months } from '../months';
import { keysetRows } from '../paged-rows';
import { TextPool } from '../pool';
import type { TextRow, WritingOptions } from '../pool';
import { fromColumns, ROW_COLUMNS, toStoredRow } from '../rows';

/** Messages a page when a range of offsets is filled. */
const PAGE_MESSAGES = 2_000;

/** What goes over all chunks is given so long, wall ms: a shard that needs it stands still until it is answered. */
const FILL_MS = 60_000;

/** Rows a statement at most; one statement is one transaction. */
const BATCH_ROWS = 1_000;

const ARCHIVE = 'SELECT archive_messages($1::json, $2::json)';

/**
 * Messages of store-first events that no stream has as they say they are. Data are not compared: they leave at the version
 * that all readers know.
 */
const STRANGERS = `SELECT message.nth FROM json_to_recordset($1::json)
    AS message(nth integer, id uuid, at bigint, type text, source text, key text, version bigint)
  WHERE NOT EXISTS (
    SELECT FROM stream_events s WHERE s.event_id = message.id AND s.occurred_at = to_timestamp(message.at / 1000.0)
      AND s.type = message.type AND s.source = message.source AND s.key = message.key
      AND s.version = coalesce(message.version, s.version))
  ORDER BY message.nth`;

const FILL_COLUMNS = `bus_offset, shard, ${ROW_COLUMNS}`;

/**
 * No time bounds the range: an offset says nothing of when its event happened (late events, history of a feed, recorded data),
 * and a bound that is wrong would leave a hole. So compressed chunks are read through, page by page.
 */
const FILL = `SELECT ${FILL_COLUMNS} FROM events
    WHERE type = ANY ($1::text[]) AND bus_partition = $3::integer AND bus_offset > $4::bigint AND bus_offset < $5::bigint
  UNION ALL
  SELECT ${FILL_COLUMNS} FROM (
    SELECT place.bus_offset, l.* FROM bus_references place
    JOIN log l ON l.event_id = place.event_id AND l.occurred_at = place.occurred_at
    WHERE place.topic = $2 AND place.bus_partition = $3::integer
      AND place.bus_offset > $4::bigint AND place.bus_offset < $5::bigint) AS known
  ORDER BY 1 LIMIT $6::bigint`;

const LAST_OFFSET = `SELECT greatest(
    (SELECT max(bus_offset) FROM events WHERE type = ANY ($1::text[]) AND bus_partition = $3::integer),
    (SELECT max(bus_offset) FROM bus_references WHERE topic = $2 AND bus_partition = $3::integer))`;

export interface Archived {
  /** Events that were not in the log before. */
  stored: number;
  /** Messages of store-first events that are in no stream: nobody who may emit them has. */
  strangers: BusMessage[];
  /** Duration of the whole append, ms; p99 over 10 ms is worth a warning (EVS-4). */
  ms: number;
}

/** The event as it was on the broker: one of a stream with its version. */
const relayed = ({ event, version }: LogRow): AnyEvent =>
  version === undefined ? event : ({ ...event, headers: { ...event.headers, [STREAM_VERSION]: version } } as AnyEvent);

const typesOf = (topic: TopicName): string[] => EVENT_TYPES.filter((type) => CATALOG[type].topic === topic);

/**
 * What the broker carried, kept in the log: bus-first events as rows, of store-first ones (which are in the log already,
 * rule 28) and of copies only where they stood. So every range of offsets can be given back as it was (rule 27).
 */
export class EventArchive {
  private readonly pool: TextPool;
  private readonly months: Months;

  /** @param login the application's role */
  constructor(
    login: Login,
    database: string,
    private readonly options: WritingOptions = {},
  ) {
    this.pool = new TextPool(login, database, options);
    this.months = new Months(this.pool);
  }

  /** Idempotent by event id: the same messages again change nothing. */
  async append(messages: readonly BusMessage[]): Promise<Archived> {
    const started = performance.now();
    const strangers: BusMessage[] = [];
    let stored = 0;
    for (let from = 0; from < messages.length; from += BATCH_ROWS) {
      const batch = messages.slice(from, from + BATCH_ROWS);
      stored += await this.months.withRoom(batch, () => this.appendBatch(batch));
      strangers.push(...(await this.strangersIn(batch)));
    }
    return { stored, strangers, ms: performance.now() - started };
  }

  /** Messages of a partition with offsets from `from` (inclusive) to `to` (exclusive), in their order. */
  fill({ topic, partition }: BusPartition, from: number, to: number): AsyncIterable<BusMessage> {
    const types = typesOf(topic);
    const page = (after: number, rows: number): Promise<TextRow[]> =>
      this.pool.rows('fill', FILL, [types, topic, partition, after, to, rows], FILL_MS);
    const keyset = { after: from - 1, pageRows: PAGE_MESSAGES, keyOf: (row: TextRow) => Number(row[0]), page };
    return keysetRows(keyset, ([offset, producer, ...columns]) => ({
      topic,
      partition,
      offset: Number(offset),
      event: relayed(fromColumns(columns)),
      producer: producer ?? null,
    }));
  }

  /** The last offset of a partition that is archived; null when none is. A fill above it would lack messages. */
  async lastOffset({ topic, partition }: BusPartition): Promise<number | null> {
    const [row] = await this.pool.rows('last_offset', LAST_OFFSET, [typesOf(topic), topic, partition], FILL_MS);
    return row?.[0] == null ? null : Number(row[0]);
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async appendBatch(messages: readonly BusMessage[]): Promise<number> {
    const fresh: unknown[] = [];
    const known: unknown[] = [];
    const { wire } = this.options;
    for (const { event, topic, partition: part, offset, producer } of messages) {
      if (CATALOG[event.type].store === 'stream')
        known.push({ topic, part, offset, id: event.id, at: event.occurredAt });
      else
        fresh.push(
          Object.assign(toStoredRow({ seq: 0, event: wire ? wire(event) : event }), {
            topic,
            part,
            offset,
            shard: producer,
          }),
        );
    }
    const json = (rows: readonly unknown[]): string | null => (rows.length === 0 ? null : JSON.stringify(rows));
    const [row] = await this.pool.rows('archive', ARCHIVE, [json(fresh), json(known)]);
    return Number(row![0]);
  }

  /** The place of a stranger is kept, too: should its stream have it later, it can be filled. */
  private async strangersIn(batch: readonly BusMessage[]): Promise<BusMessage[]> {
    const known = batch.flatMap(({ event }, nth) => {
      const { id, occurredAt: at, type, source, key, headers } = event;
      return CATALOG[type].store === 'stream'
        ? [{ nth, id, at, type, source, key, version: headers?.[STREAM_VERSION] }]
        : [];
    });
    if (known.length === 0) return [];
    const rows = await this.pool.rows('strangers', STRANGERS, [JSON.stringify(known)]);
    return rows.map(([nth]) => batch[Number(nth)]!);
  }
}
