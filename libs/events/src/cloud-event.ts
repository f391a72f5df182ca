import type { AnyEvent, EventHeaders } from './envelope';
import { parseJson, validateEvent } from './validation/validate';
import { isEventType } from './catalog';
import { EventRefused } from './refused';
import { upcast } from './upcast';
import type { RawEnvelope } from './upcast';
import { DEFINITIONS } from './types';

/** CloudEvents 1.0, Kafka protocol binding, binary mode: the value is the data, everything else are headers. */
export interface CloudEventMessage {
  /** Key of the message: orders it inside its topic. */
  key: string;
  headers: Record<string, string>;
  /** The design document's JSON object. */
  value: string;
}

/** Headers of an event that are no CloudEvents attribute keep their own name behind this prefix. */
const HEADER_PREFIX = 'moon_';

const ATTRIBUTES = {
  specversion: 'ce_specversion',
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  time: 'ce_time',
  partitionKey: 'ce_partitionkey',
  correlationId: 'ce_correlationid',
  causationId: 'ce_causationid',
  schemaVersion: 'ce_schemaversion',
  contentType: 'content-type',
} as const;

/** An event as a Kafka message. Headers that are undefined are left out. */
export function toCloudEvent(event: AnyEvent): CloudEventMessage {
  const headers: Record<string, string> = {
    [ATTRIBUTES.specversion]: '1.0',
    [ATTRIBUTES.id]: event.id,
    [ATTRIBUTES.type]: event.type,
    [ATTRIBUTES.source]: event.source,
    [ATTRIBUTES.time]: new Date(event.occurredAt).toISOString(),
    [ATTRIBUTES.partitionKey]: event.key,
    [ATTRIBUTES.correlationId]: event.correlationId,
    [ATTRIBUTES.schemaVersion]: String(event.schemaVersion),
    [ATTRIBUTES.contentType]: 'application/json',
  };
  if (event.causationId !== null) headers[ATTRIBUTES.causationId] = event.causationId;
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    if (value !== undefined) headers[`${HEADER_PREFIX}${name}`] = JSON.stringify(value);
  }
  return { key: event.key, headers, value: JSON.stringify(event.data) };
}

function eventHeaders(type: string, headers: Readonly<Record<string, string>>): EventHeaders | undefined {
  let found: EventHeaders | undefined;
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(HEADER_PREFIX)) continue;
    found ??= {};
    const value = parseJson(type, headers[name]!) as string | number | boolean;
    Object.defineProperty(found, name.slice(HEADER_PREFIX.length), {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return found;
}

/**
 * A Kafka message as an event: parsed, upcast and validated. Headers of others (`traceparent`) are no part of the event.
 * @throws EventRefused
 */
export function fromCloudEvent(message: { headers: Readonly<Record<string, string>>; value: string }): AnyEvent {
  const { headers, value } = message;
  const type = headers[ATTRIBUTES.type] ?? '(no type)';
  const missing = (field: string): never => {
    throw new EventRefused(type, {
      field,
      value: undefined,
      rule: 'missing_field',
      expected: 'the header is required',
    });
  };
  const header = (name: keyof typeof ATTRIBUTES): string => headers[ATTRIBUTES[name]] ?? missing(ATTRIBUTES[name]);
  if (header('specversion') !== '1.0') {
    const expected = 'CloudEvents 1.0 is expected';
    throw new EventRefused(type, {
      field: 'ce_specversion',
      value: headers.ce_specversion,
      rule: 'unknown_version',
      expected,
    });
  }
  const own = eventHeaders(type, headers);
  const envelope = {
    id: header('id'),
    type: header('type'),
    schemaVersion: Number(header('schemaVersion')),
    source: header('source'),
    key: header('partitionKey'),
    occurredAt: Date.parse(header('time')),
    correlationId: header('correlationId'),
    causationId: headers[ATTRIBUTES.causationId] ?? null,
    data: parseJson(type, value),
    ...(own && { headers: own }),
  };
  const isOld = isEventType(type) && envelope.schemaVersion !== DEFINITIONS[type].version;
  return validateEvent(isOld ? upcast(envelope as unknown as RawEnvelope) : envelope);
}
