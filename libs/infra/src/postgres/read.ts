import type { EventPage, EventQuery, LogRow } from '@moon/kernel';
import type { TextPool, TextRow } from './pool';
import { fromColumns, ROW_COLUMNS } from './rows';

/** Rows a page when the whole log is read. */
const PAGE_ROWS = 5_000;
const BATCHES_AT_ONCE = 2_000;

const NEXT_BATCHES = `SELECT last_seq, last_seq - first_seq + 1, date_part('epoch', from_at) * 1000,
    date_part('epoch', to_at) * 1000
  FROM log_batches WHERE last_seq > $1::bigint ORDER BY last_seq LIMIT ${BATCHES_AT_ONCE}`;

/** The times narrow the search to few partitions, and to a piece of the time index in each. */
const LOG_PAGE = `SELECT ${ROW_COLUMNS} FROM log
  WHERE occurred_at BETWEEN to_timestamp($3::bigint / 1000.0) AND to_timestamp($4::bigint / 1000.0)
    AND seq > $1::bigint AND seq <= $2::bigint
  ORDER BY seq LIMIT $5::bigint`;

const STREAM_PAGE = `SELECT ${ROW_COLUMNS} FROM stream_events
  WHERE stream_id = $1 AND version > $2::bigint ORDER BY version LIMIT ${PAGE_ROWS}`;

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

/** Reads the log of one database. */
export class LogReader {
  constructor(private readonly pool: TextPool) {}

  async lastSeq(): Promise<number> {
    const [row] = await this.pool.rows('last_seq', 'SELECT max(last_seq) FROM log_batches', []);
    return Number(row?.[0] ?? 0);
  }

  /** One page is under way while the one before it is being used. */
  async *readLog(fromSeq: number, limit = Infinity): AsyncIterable<LogRow> {
    let left = limit;
    for (let after = fromSeq; left > 0;) {
      const batches = await this.pool.rows('next_batches', NEXT_BATCHES, [after]);
      const ranges = rangesOf(after, batches);
      let ahead = ranges[0] ? this.page(ranges[0], left) : null;
      for (let at = 0; at < ranges.length && left > 0; at += 1) {
        const rows = await ahead!;
        const next = ranges[at + 1];
        ahead = next && left > rows.length ? this.page(next, left - rows.length) : null;
        // Whoever stops reading leaves the page ahead behind; its failure then is nobody's.
        ahead?.catch(() => undefined);
        for (const columns of rows) yield fromColumns(columns);
        left -= rows.length;
        after = ranges[at]!.to;
      }
      if (batches.length < BATCHES_AT_ONCE) return;
    }
  }

  private page({ from, to, fromMs, toMs }: LogRange, limit: number): Promise<TextRow[]> {
    const most = Number.isFinite(limit) ? limit : Number.MAX_SAFE_INTEGER;
    return this.pool.rows('log_page', LOG_PAGE, [from, to, fromMs, toMs, most]);
  }

  async *readStream(streamId: string, fromVersion = 0): AsyncIterable<LogRow> {
    for (let next = fromVersion; ;) {
      const rows = await this.pool.rows('stream_page', STREAM_PAGE, [streamId, next]);
      for (const columns of rows) {
        const row = fromColumns(columns);
        yield row;
        next = row.version!;
      }
      if (rows.length < PAGE_ROWS) return;
    }
  }

  async countsByType(): Promise<Record<string, number>> {
    const rows = await this.pool.rows(
      'counts_by_type',
      'SELECT type, count(*) FROM log GROUP BY type ORDER BY type',
      [],
    );
    return Object.fromEntries(rows.map(([type, count]) => [type!, Number(count)]));
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

const cursorAt = ({ seq, event }: LogRow): string => Buffer.from(`${event.occurredAt}.${seq}`).toString('base64url');

function readCursor(cursor: string): [at: string, seq: string] {
  const match = /^(\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match)
    throw new RangeError(
      `"${cursor.slice(0, 80)}" is no cursor of an event query; give back the one of the page before.`,
    );
  return [match[1]!, match[2]!];
}

/** A page has at most this many rows. */
const MAX_LIMIT = 10_000;

interface Statement {
  name: string;
  text: string;
  values: unknown[];
}

const asTime = (place: string): string => `to_timestamp(${place}::bigint / 1000.0)`;

/** Every combination of filters is a prepared statement of its own, named after the filters. */
function statementFor(query: EventQuery): Statement {
  const { limit, order = 'oldest', cursor } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`A page of ${limit} rows is not possible; ask for 1 to ${MAX_LIMIT}.`);
  }
  const values: unknown[] = [];
  const conditions: string[] = [];
  let name = `query_${order}`;
  const given = (filter: string, value: unknown, condition: (place: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
    name += `_${filter}`;
  };
  given('type', query.types?.length === 1 ? query.types[0] : undefined, (place) => `type = ${place}`);
  given(
    'types',
    query.types && query.types.length !== 1 ? query.types : undefined,
    (place) => `type = ANY (${place}::text[])`,
  );
  given('token', query.token, (place) => `token = ${place}`);
  given('key', query.key, (place) => `key = ${place}`);
  given('from', query.from, (place) => `occurred_at >= ${asTime(place)}`);
  given('to', query.to, (place) => `occurred_at < ${asTime(place)}`);
  given('cause', query.causationId, (place) => `causation_id = ${place}::uuid`);
  given('id', query.eventId, (place) => `event_id = ${place}::uuid`);
  given('stream', query.streamId, (place) => `stream_id = ${place}`);
  // The root of a correlation has NULL for its own id.
  given(
    'corr',
    query.correlationId,
    (place) => `(correlation_id = ${place}::uuid OR (event_id = ${place}::uuid AND correlation_id IS NULL))`,
  );
  const direction = order === 'oldest' ? 'ASC' : 'DESC';
  if (cursor !== undefined) {
    values.push(...readCursor(cursor));
    const [at, seq] = [`$${values.length - 1}`, `$${values.length}`];
    const beyond = order === 'oldest' ? '>' : '<';
    // The bound on the time alone lets whole partitions be left out.
    conditions.push(
      `occurred_at ${beyond}= ${asTime(at)}`,
      `(occurred_at, seq) ${beyond} (${asTime(at)}, ${seq}::bigint)`,
    );
    name += '_after';
  }
  values.push(limit + 1);
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const text = `SELECT ${ROW_COLUMNS} FROM log ${where}
    ORDER BY occurred_at ${direction}, seq ${direction} LIMIT $${values.length}::bigint`;
  return { name, text, values };
}
