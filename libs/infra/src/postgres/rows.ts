import { CATALOG, upcast } from '@moon/events';
import type { AnyEvent, RawEnvelope } from '@moon/events';
import type { LogRow } from '@moon/kernel';

/** A row of the log as `append_log` takes it; names as in json_to_recordset. */
interface StoredRow {
  id: string;
  at: number;
  seq: number;
  correlation?: string;
  causation?: string;
  version?: number;
  schema: number;
  type: string;
  source: string;
  key: string;
  token?: string;
  stream?: string;
  data: unknown;
  headers?: unknown;
}

const isEmpty = (object: object): boolean => {
  for (const _name in object) return false;
  return true;
};

export function toStoredRow({ seq, event, streamId, version }: LogRow): StoredRow {
  const row: StoredRow = {
    id: event.id,
    at: event.occurredAt,
    seq,
    schema: event.schemaVersion,
    type: event.type,
    source: event.source,
    key: event.key,
    data: event.data,
  };
  if (event.correlationId !== event.id) row.correlation = event.correlationId;
  if (event.causationId !== null) row.causation = event.causationId;
  const { token } = event.data as { token?: string };
  if (token !== undefined) row.token = token;
  if (event.headers && !isEmpty(event.headers)) row.headers = event.headers;
  if (streamId !== undefined) {
    row.stream = streamId;
    row.version = version;
  }
  return row;
}

/** The columns that `fromColumns` reads, in its order. Milliseconds as a float: exact up to the year 2255. */
export const ROW_COLUMNS = `seq, event_id, date_part('epoch', occurred_at) * 1000 AS at, correlation_id, causation_id, version,
  schema_version, type, source, key, stream_id, data, headers`;

/** A row of ROW_COLUMNS with every value as the server's text. */
export type ColumnTexts = readonly (string | null)[];

/** Older schema versions are upcast here, so that nobody above the store ever sees one. */
export function fromColumns(columns: ColumnTexts): LogRow {
  const [seq, id, at, correlation, causation, version, schema, type, source, key, stream, data, headers] = columns;
  const raw = {
    id: id!,
    type: type!,
    schemaVersion: Number(schema),
    source: source!,
    key: key!,
    occurredAt: Math.round(Number(at)),
    correlationId: correlation ?? id!,
    causationId: causation ?? null,
    data: JSON.parse(data!) as unknown,
    ...(headers != null && { headers: JSON.parse(headers) as AnyEvent['headers'] }),
  };
  const isCurrent = CATALOG[raw.type as AnyEvent['type']]?.schemaVersion === raw.schemaVersion;
  const event = (isCurrent ? raw : upcast(raw as unknown as RawEnvelope)) as unknown as AnyEvent;
  const row: LogRow = { seq: Number(seq), event };
  if (stream != null) {
    row.streamId = stream;
    row.version = Number(version);
  }
  return row;
}
