import type { EventPage, EventQuery, LogRow } from '@moon/kernel';
import { keysetRows } from './paged-rows';
import type { TextPool, TextRow } from './pool';
import { cursorAt, statementFor } from './query-statement';
import { fromColumns, ROW_COLUMNS } from './rows';

/** Rows a page when a whole log or stream is read. */
export const PAGE_ROWS = 5_000;

const STREAM_PAGE = `SELECT ${ROW_COLUMNS} FROM stream_events
  WHERE stream_id = $1 AND version > $2::bigint ORDER BY version LIMIT $3::bigint`;

/** Its place in ROW_COLUMNS. */
const VERSION_COLUMN = 5;

const versionOf = (row: TextRow): number => Number(row[VERSION_COLUMN]);

/** What can be asked of the log of a run and of a cluster alike. */
export class LogQueries {
  constructor(protected readonly pool: TextPool) {}

  readStream(streamId: string, fromVersion = 0): AsyncIterable<LogRow> {
    const page = (after: number, rows: number): Promise<TextRow[]> =>
      this.pool.rows('stream_page', STREAM_PAGE, [streamId, after, rows]);
    return keysetRows({ after: fromVersion, pageRows: PAGE_ROWS, keyOf: versionOf, page }, fromColumns);
  }

  async countsByType(): Promise<Record<string, number>> {
    const rows = await this.pool.rows(
      'counts_by_type',
      'SELECT type, count(*) FROM log GROUP BY type ORDER BY type',
      [],
    );
    return Object.fromEntries(rows.map(([type, count]) => [type!, Number(count)]));
  }

  async loadSnapshot(streamId: string): Promise<{ version: number; state: unknown } | null> {
    const [row] = await this.pool.rows('load_snapshot', 'SELECT version, state FROM snapshots WHERE stream_id = $1', [
      streamId,
    ]);
    return row ? { version: Number(row[0]), state: JSON.parse(row[1]!) as unknown } : null;
  }

  /** Pages by (occurredAt, seq), which the indexes hold in order: a page costs the same wherever it lies. */
  async query(query: EventQuery): Promise<EventPage> {
    const { text, values, name } = statementFor(query);
    const columns = await this.pool.rows(name, text, values);
    const rows = columns.slice(0, query.limit).map(fromColumns);
    const last = rows[rows.length - 1];
    return { rows, cursor: columns.length > query.limit && last ? cursorAt(last) : null };
  }
}
