import type { AnyEvent } from '@moon/events';
import type { LogRow } from '@moon/kernel';
import { PAGE_ROWS } from '../log-queries';
import { keysetRows } from '../paged-rows';
import type { TextPool, TextRow } from '../pool';
import { fromColumns, ROW_COLUMNS } from '../rows';

/** A row of the log as a shard left it there. */
export interface EmittedRow extends LogRow {
  /** The shard that emitted it. */
  shard: string | null;
  /** Position in the log, given when the row was written. */
  position: number;
  /** Offset on the broker in its topic's partition; null of what went to a stream first. */
  busOffset: number | null;
}

const IDS = `SELECT position, shard, event_id FROM log
  WHERE position > $1::bigint AND shard IS NOT NULL ORDER BY position LIMIT $2::bigint`;

const COLUMNS = `shard, position, ${ROW_COLUMNS}`;
const THESE = `event_id = ANY ($1::uuid[])
  AND occurred_at BETWEEN to_timestamp($2::bigint / 1000.0) AND to_timestamp($3::bigint / 1000.0)`;
const ROWS = `SELECT bus_offset, ${COLUMNS} FROM events WHERE ${THESE}
  UNION ALL SELECT NULL, ${COLUMNS} FROM stream_events WHERE ${THESE}`;

/** What the shards of a cluster left in its log, for whoever handles their journals again. It reads only. */
export class EmittedRows {
  constructor(private readonly pool: TextPool) {}

  /** Ids of all that can be seen now of every shard. */
  async ids(): Promise<Map<string, Set<string>>> {
    const byShard = new Map<string, Set<string>>();
    const page = (after: number, rows: number): Promise<TextRow[]> => this.pool.rows('emitted_ids', IDS, [after, rows]);
    const all = keysetRows(
      { after: 0, pageRows: PAGE_ROWS, keyOf: ([position]: TextRow) => Number(position), page },
      ([, shard, id]) => ({ shard: shard!, id: id! }),
    );
    for await (const { shard, id } of all) {
      const known = byShard.get(shard);
      if (known) known.add(id);
      else byShard.set(shard, new Set([id]));
    }
    return byShard;
  }

  /** The rows of these events, by their ids; what the log does not hold is not among them. */
  async of(events: readonly Pick<AnyEvent, 'id' | 'occurredAt'>[]): Promise<Map<string, EmittedRow>> {
    if (events.length === 0) return new Map();
    const times = events.map(({ occurredAt }) => occurredAt);
    const from = times.reduce((low, at) => Math.min(low, at));
    const to = times.reduce((high, at) => Math.max(high, at));
    const rows = await this.pool.rows('emitted_rows', ROWS, [events.map(({ id }) => id), from, to]);
    return new Map(rows.map((row) => [idOf(row), emittedFrom(row)]));
  }
}

/** The id's place behind offset, shard, position and seq. */
const ID_COLUMN = 4;
const idOf = (row: TextRow): string => row[ID_COLUMN]!;

function emittedFrom([busOffset, shard, position, ...columns]: TextRow): EmittedRow {
  return {
    ...fromColumns(columns),
    shard: shard ?? null,
    position: Number(position),
    busOffset: busOffset == null ? null : Number(busOffset),
  };
}
