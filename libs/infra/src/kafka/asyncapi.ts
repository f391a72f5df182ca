import {
  CATALOG,
  DEFINITIONS,
  EVENT_TYPES,
  TOPICS,
  type CatalogEntry,
  type EventType,
  type TopicName,
} from '@moon/events';

/** What the processes of one kind read and write, for the operations of the document. */
export interface AppGroup {
  name: string;
  doc: string;
  receives: readonly TopicName[];
  sends: readonly EventType[];
}

/** A handler, or what else is fed with events, as this document needs it. */
interface Reader {
  name: string;
  consumes: readonly EventType[];
  broadcast?: readonly EventType[];
}

type Json = Record<string, unknown>;

const KEY_WORDS: Readonly<Record<CatalogEntry['keyRule'], string>> = {
  token: 'The token; events of one token are in order.',
  portfolio: 'The portfolio; events of one portfolio are in order.',
  handlerKey: 'The key of the handler that it is about.',
  scope: 'The portfolio, or `global`.',
  system: 'The constant `system`.',
};

const text = (description: string, more: Json = {}): Json => ({ type: 'string', description, ...more });

/** CloudEvents 1.0 in binary mode: every attribute is a header, always text. */
const HEADERS: Json = {
  type: 'object',
  required: [
    'ce_specversion',
    'ce_id',
    'ce_type',
    'ce_source',
    'ce_time',
    'ce_partitionkey',
    'ce_correlationid',
    'ce_schemaversion',
  ],
  properties: {
    ce_specversion: text('Version of CloudEvents.', { const: '1.0' }),
    ce_id: text('Id of the event; one id never has two contents.', { format: 'uuid' }),
    ce_type: text('Event type.'),
    ce_source: text('Who wrote it: a feed, a venue, a handler.'),
    ce_time: text('When it happened.', { format: 'date-time' }),
    ce_partitionkey: text('Key of the message.'),
    ce_correlationid: text('Id of the root event.', { format: 'uuid' }),
    ce_causationid: text('Id of the direct cause; missing on a root event.', { format: 'uuid' }),
    ce_schemaversion: text('Version of the schema of the data.', { pattern: '^[0-9]+$' }),
    'content-type': text('Always JSON.', { const: 'application/json' }),
    moonshard: text('The shard that emitted it, or `operators`; missing on what feeds write.'),
  },
};

/** Our validator's and our reference's own keywords: to others they mean nothing, or something else. */
const OWN_KEYWORDS = new Set(['nullable', 'freeForm', 'discriminator']);

/** Keywords of JSON Schema alone. */
function plainSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plainSchema);
  if (schema === null || typeof schema !== 'object') return schema;
  const plain: Json = {};
  for (const [name, value] of Object.entries(schema)) {
    if (OWN_KEYWORDS.has(name)) continue;
    // The names of the fields are no keywords.
    const isNames = name === 'properties' && typeof value === 'object';
    plain[name] = isNames
      ? Object.fromEntries(Object.entries(value as Json).map(([field, inner]) => [field, plainSchema(inner)]))
      : plainSchema(value);
  }
  return plain;
}

function message(type: EventType): Json {
  const { doc, schema, keyRule, schemaVersion, store } = CATALOG[type];
  const { example } = DEFINITIONS[type];
  return {
    name: type,
    title: `${type}, version ${schemaVersion}`,
    summary: doc,
    contentType: 'application/json',
    headers: { allOf: [{ $ref: '#/components/schemas/cloudEvent' }, { properties: { ce_type: { const: type } } }] },
    payload: plainSchema(JSON.parse(JSON.stringify(schema))),
    tags: [{ name: store === 'stream' ? 'store-first' : 'bus-first' }],
    bindings: { kafka: { key: text(KEY_WORDS[keyRule]), bindingVersion: '0.5.0' } },
    examples: [{ name: 'example', payload: JSON.parse(JSON.stringify(example)) as Json }],
  };
}

function channel(topic: TopicName): Json {
  const { doc, partitions, retentionMs } = TOPICS[topic];
  return {
    address: topic,
    description: doc,
    messages: Object.fromEntries(typesOf(topic).map((type) => [type, { $ref: `#/components/messages/${type}` }])),
    bindings: {
      kafka: {
        topic,
        partitions,
        topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': retentionMs },
        bindingVersion: '0.5.0',
      },
    },
  };
}

const typesOf = (topic: TopicName): EventType[] => EVENT_TYPES.filter((type) => CATALOG[type].topic === topic);

function operations({ name, doc, receives, sends }: AppGroup): [string, Json][] {
  const receiving = receives.map((topic): [string, Json] => [
    `${name}.receive.${topic}`,
    {
      action: 'receive',
      channel: { $ref: `#/channels/${topic}` },
      summary: doc,
      bindings: { kafka: { groupId: text(`Begins with ${name}.`), bindingVersion: '0.5.0' } },
    },
  ]);
  const topics = [...new Set(sends.map((type) => CATALOG[type].topic))];
  const sending = topics.map((topic): [string, Json] => [
    `${name}.send.${topic}`,
    {
      action: 'send',
      channel: { $ref: `#/channels/${topic}` },
      summary: doc,
      messages: sends
        .filter((type) => CATALOG[type].topic === topic)
        .map((type) => ({ $ref: `#/channels/${topic}/messages/${type}` })),
    },
  ]);
  return [...receiving, ...sending];
}

/** What is on the broker, for machines: every topic, event type, schema and key, from the catalog alone (EVT-6). */
export function asyncApiDocument(version: string, groups: readonly AppGroup[]): Json {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Moon EDA',
      version,
      description:
        'Events of the platform on Kafka: CloudEvents 1.0 in binary mode, one topic a family of events whose order matters.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries((Object.keys(TOPICS) as TopicName[]).map((topic) => [topic, channel(topic)])),
    operations: Object.fromEntries(groups.flatMap(operations)),
    components: {
      schemas: { cloudEvent: HEADERS },
      messages: Object.fromEntries(EVENT_TYPES.map((type) => [type, message(type)])),
    },
  };
}

/** Each handler, and the venue that shards feed, is a group of readers: what it consumes says which topics. */
export const groupsOfHandlers = (handlers: readonly Reader[]): AppGroup[] =>
  handlers.map(({ name, consumes, broadcast = [] }) => ({
    name: name.replaceAll('/', '.'),
    doc: `Read by ${name}.`,
    receives: [...new Set([...consumes, ...broadcast].map((type) => CATALOG[type].topic))],
    sends: [],
  }));

/** As it is kept in docs/asyncapi.json. */
export const asyncApiText = (version: string, groups: readonly AppGroup[]): string =>
  `${JSON.stringify(asyncApiDocument(version, groups), null, 2)}\n`;
