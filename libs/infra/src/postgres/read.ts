import type { LogRow } from '@moon/kernel';
import { LogQueries, PAGE_ROWS } from './log-queries';
import { PagedRows } from './paged-rows';
import type { TextPool, TextRow } from './pool';
import { fromColumns, ROW_COLUMNS } from './rows';

const BATCHES_AT_ONCE = 2_000;

const NEXT_BATCHES = `SELECT last_seq, last_seq - first_seq + 1, date_part('epoch', from_at) * 1000,
    date_part('epoch', to_at) * 1000
  FROM log_batches
  WHERE first_seq >= coalesce((SELECT max(first_seq) FROM log_batches WHERE first_seq <= $1::bigint), 0)
    AND last_seq > $1::bigint
  ORDER BY first_seq LIMIT $2::bigint`;

/** The times narrow the search to few partitions, and to a piece of the time index in each. */
const LOG_PAGE = `SELECT ${ROW_COLUMNS} FROM log
  WHERE occurred_at BETWEEN to_timestamp($3::bigint / 1000.0) AND to_timestamp($4::bigint / 1000.0)
    AND seq > $1::bigint AND seq <= $2::bigint
  ORDER BY seq LIMIT $5::bigint`;

interface LogRange {
  from: number;
  to: number;
  fromMs: number;
  toMs: number;
}

/** Groups batches into ranges of about a page. */
function rangesOf(fromSeq: number, batches: readonly TextRow[]): LogRange[] {
  const ranges: LogRange[] = [];
  let open: LogRange | null = null;
  let rows = 0;
  for (const [lastSeq, size, from, to] of batches) {
    const fromMs = Math.round(Number(from));
    const toMs = Math.round(Number(to));
    const start: number = ranges.length > 0 ? ranges[ranges.length - 1]!.to : fromSeq;
    open ??= { from: start, to: start, fromMs, toMs };
    open.to = Number(lastSeq);
    open.fromMs = Math.min(open.fromMs, fromMs);
    open.toMs = Math.max(open.toMs, toMs);
    rows += Number(size);
    if (rows < PAGE_ROWS) continue;
    ranges.push(open);
    open = null;
    rows = 0;
  }
  if (open) ranges.push(open);
  return ranges;
}

/** Pages of the log; one is under way while the one before it is being used. */
class LogPages {
  private ranges: LogRange[] = [];
  private hasMoreRanges = true;
  private ahead: Promise<TextRow[] | null> | null = null;

  constructor(
    private readonly pool: TextPool,
    private after: number,
    private left: number,
  ) {}

  async next(): Promise<TextRow[] | null> {
    const rows = await (this.ahead ?? this.fetch());
    if (rows === null) return null;
    this.left -= rows.length;
    this.ahead = this.fetch();
    // Whoever stops reading leaves the page ahead behind; its failure then is nobody's.
    this.ahead.catch(() => undefined);
    return rows;
  }

  private async fetch(): Promise<TextRow[] | null> {
    if (this.left <= 0) return null;
    if (this.ranges.length === 0 && this.hasMoreRanges) {
      // A batch has a row at least: few rows are in few batches.
      const most = Math.min(BATCHES_AT_ONCE, this.left);
      const batches = await this.pool.rows('next_batches', NEXT_BATCHES, [this.after, most]);
      this.ranges = rangesOf(this.after, batches);
      this.hasMoreRanges = batches.length === most;
    }
    const range = this.ranges.shift();
    if (!range) return null;
    this.after = range.to;
    const most = Number.isFinite(this.left) ? this.left : Number.MAX_SAFE_INTEGER;
    return this.pool.rows('log_page', LOG_PAGE, [range.from, range.to, range.fromMs, range.toMs, most]);
  }
}

/** Reads the log of one run. */
export class LogReader extends LogQueries {
  async lastSeq(): Promise<number> {
    const [row] = await this.pool.rows(
      'last_seq',
      'SELECT last_seq FROM log_batches ORDER BY first_seq DESC LIMIT 1',
      [],
    );
    return Number(row?.[0] ?? 0);
  }

  readLog(fromSeq: number, limit = Infinity): AsyncIterable<LogRow> {
    const pages = new LogPages(this.pool, fromSeq, limit);
    return new PagedRows(() => pages.next(), fromColumns);
  }
}
