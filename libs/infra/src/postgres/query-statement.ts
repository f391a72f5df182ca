import type { EventQuery, LogRow } from '@moon/kernel';
import { ROW_COLUMNS } from './rows';

/** A statement for a page of a query; equal filters give equal names, so that each is prepared once. */
export interface Statement {
  name: string;
  text: string;
  values: unknown[];
}

/** A page has at most this many rows. */
const MAX_LIMIT = 10_000;

/** Where a page ended: the time and the position of its last row. */
export const cursorAt = ({ seq, event }: LogRow): string =>
  Buffer.from(`${event.occurredAt}.${seq}`).toString('base64url');

function readCursor(cursor: string): [at: string, seq: string] {
  const match = /^(\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match) return [match[1]!, match[2]!];
  const shown = cursor.slice(0, 80);
  throw new RangeError(`"${shown}" is no cursor of an event query; give back the one of the page before.`);
}

const asTime = (place: string): string => `to_timestamp(${place}::bigint / 1000.0)`;

interface Filter {
  /** Part of the statement's name. */
  name: string;
  value: (query: EventQuery) => unknown;
  condition: (place: string) => string;
  /** Finds few rows by an index of its own, which serves better than the order by time. */
  isNarrow?: true;
}

const FILTERS: readonly Filter[] = [
  {
    name: 'type',
    value: ({ types }) => (types?.length === 1 ? types[0] : undefined),
    condition: (place) => `type = ${place}`,
  },
  {
    name: 'types',
    value: ({ types }) => (types?.length === 1 ? undefined : types),
    condition: (place) => `type = ANY (${place}::text[])`,
  },
  { name: 'token', value: ({ token }) => token, condition: (place) => `token = ${place}` },
  { name: 'key', value: ({ key }) => key, condition: (place) => `key = ${place}` },
  { name: 'from', value: ({ from }) => from, condition: (place) => `occurred_at >= ${asTime(place)}` },
  { name: 'to', value: ({ to }) => to, condition: (place) => `occurred_at < ${asTime(place)}` },
  {
    name: 'cause',
    value: ({ causationId }) => causationId,
    condition: (place) => `causation_id = ${place}::uuid`,
    isNarrow: true,
  },
  { name: 'id', value: ({ eventId }) => eventId, condition: (place) => `event_id = ${place}::uuid`, isNarrow: true },
  { name: 'stream', value: ({ streamId }) => streamId, condition: (place) => `stream_id = ${place}`, isNarrow: true },
  {
    name: 'corr',
    value: ({ correlationId }) => correlationId,
    // The root of a correlation has NULL for its own id.
    condition: (place) => `(correlation_id = ${place}::uuid OR (event_id = ${place}::uuid AND correlation_id IS NULL))`,
    isNarrow: true,
  },
];

/** @throws RangeError for a limit or a cursor that makes no sense. */
export function statementFor(query: EventQuery): Statement {
  const { limit, order = 'oldest', cursor } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`A page of ${limit} rows is not possible; ask for 1 to ${MAX_LIMIT}.`);
  }
  const values: unknown[] = [];
  const place = (value: unknown): string => `$${values.push(value)}`;
  const used = FILTERS.filter(({ value }) => value(query) !== undefined);
  const conditions = used.map(({ value, condition }) => condition(place(value(query))));
  const names = ['query', order, ...used.map(({ name }) => name)];
  const isNarrow = used.some((filter) => filter.isNarrow);
  const filtered = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const page: string[] = [];
  if (cursor !== undefined) {
    const [at, seq] = readCursor(cursor).map(place) as [string, string];
    const beyond = order === 'oldest' ? '>' : '<';
    // The bound on the time alone lets whole partitions be left out.
    page.push(`occurred_at ${beyond}= ${asTime(at)}`, `(occurred_at, seq) ${beyond} (${asTime(at)}, ${seq}::bigint)`);
    names.push('after');
  }
  // MATERIALIZED: without statistics the planner would walk the whole log in time order to find those few rows.
  const source = isNarrow ? `WITH found AS MATERIALIZED (SELECT * FROM log ${filtered})` : '';
  const where = isNarrow ? page : [...conditions, ...page];
  const direction = order === 'oldest' ? 'ASC' : 'DESC';
  const text = `${source}
    SELECT ${ROW_COLUMNS} FROM ${isNarrow ? 'found' : 'log'}
    ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
    ORDER BY occurred_at ${direction}, seq ${direction} LIMIT ${place(limit + 1)}::bigint`;
  return { name: names.join('_'), text, values };
}
