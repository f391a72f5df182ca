import type { TObject } from '@sinclair/typebox';
import type { EventCategory, EventDefinition, KeyRule, StreamRule } from './define';
import { EMITTERS } from './emitters';
import type { EventType } from './envelope';
import { TOPICS } from './topics';
import type { TopicName } from './topics';
import { DEFINITIONS } from './types';

/** Bus-first events leave the store after a year; store-first ones never do (rule 29). */
const BUS_STORE_RETENTION_MS = 365 * 86_400_000;

export interface CatalogEntry {
  readonly type: EventType;
  readonly schemaVersion: number;
  readonly category: EventCategory;
  readonly doc: string;
  readonly topic: TopicName;
  readonly partitions: number;
  /** How long the broker keeps it. */
  readonly retentionMs: number;
  /** How long the store keeps it; null = for good. */
  readonly storeRetentionMs: number | null;
  readonly keyRule: KeyRule;
  /** Sources that emit it: names, or beginnings of names that end in a slash. */
  readonly emitters: readonly string[];
  /** `stream`: appended to its stream first, then relayed. `bus`: published first, then archived. */
  readonly store: 'stream' | 'bus';
  readonly streamRule: StreamRule | null;
  /** Depends on the wall clock; outside hashes and parity (rule 5). */
  readonly operational: boolean;
  readonly schema: TObject;
  /** The key that events with this data have by default. */
  keyOf(data: object): string;
  /** The stream that an event with this data belongs to; null for bus-first types. */
  streamId(data: object): string | null;
}

/** The fields that keys and stream ids are made of; which of them a type has follows from its rules. */
interface KeyFields {
  token?: string;
  portfolio?: string;
  handlerKey?: string;
  order_id?: string;
  scope?: 'portfolio' | 'global';
}

function required(value: string | undefined, field: keyof KeyFields, type: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`${type}: the key or stream id needs the field "${field}", which is missing or empty.`);
}

function keyOf(rule: KeyRule, type: string, data: KeyFields): string {
  if (rule === 'system') return 'system';
  if (rule === 'scope') return data.scope === 'global' ? 'global' : required(data.portfolio, 'portfolio', type);
  return required(data[rule], rule, type);
}

function streamIdOf(rule: StreamRule, type: string, data: KeyFields): string {
  switch (rule) {
    case 'order':
      return `order-${required(data.order_id, 'order_id', type)}`;
    case 'portfolio':
      return `portfolio-${required(data.portfolio, 'portfolio', type)}`;
    case 'consensus':
      return `consensus-${required(data.token, 'token', type)}`;
    case 'force-close':
      return `force-close-${required(data.portfolio, 'portfolio', type)}`;
    case 'halts':
      return data.scope === 'global' ? 'halts-global' : `portfolio-${required(data.portfolio, 'portfolio', type)}`;
    case 'config':
    case 'audit':
      return rule;
  }
}

function entryOf(definition: EventDefinition): CatalogEntry {
  const { type, key, stream } = definition;
  const topic = TOPICS[definition.topic];
  return Object.freeze({
    type: type as EventType,
    schemaVersion: definition.version,
    category: definition.category,
    doc: definition.doc,
    topic: definition.topic,
    partitions: topic.partitions,
    retentionMs: topic.retentionMs,
    storeRetentionMs: stream ? null : BUS_STORE_RETENTION_MS,
    keyRule: key,
    emitters: EMITTERS[type as EventType],
    store: stream ? 'stream' : 'bus',
    streamRule: stream ?? null,
    operational: definition.operational,
    schema: definition.schema,
    keyOf: (data: object) => keyOf(key, type, data as KeyFields),
    streamId: (data: object) => (stream ? streamIdOf(stream, type, data as KeyFields) : null),
  });
}

export const EVENT_TYPES = Object.freeze(Object.keys(DEFINITIONS)) as readonly EventType[];

/** What the platform knows about every event type: topic, key, partitions, retention, store, stream. */
export const CATALOG: Readonly<Record<EventType, CatalogEntry>> = Object.freeze(
  Object.fromEntries(EVENT_TYPES.map((type) => [type, entryOf(DEFINITIONS[type] as EventDefinition)])) as Record<
    EventType,
    CatalogEntry
  >,
);

export const isEventType = (type: unknown): type is EventType =>
  typeof type === 'string' && Object.prototype.hasOwnProperty.call(DEFINITIONS, type);

/** The key that an event of this type with this data has by default. */
export const defaultKey = (type: EventType, data: object): string => CATALOG[type].keyOf(data);
