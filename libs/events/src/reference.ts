import type { TSchema } from '@sinclair/typebox';
import { CATALOG, EVENT_TYPES } from './catalog';
import type { CatalogEntry } from './catalog';
import type { EventDefinition } from './define';
import { TOPICS } from './topics';
import type { TopicName } from './topics';
import { DEFINITIONS, SUPERSEDED } from './types';

/** The event reference (docs/events.md) as text, made from the definitions alone. */

const HOUR_MS = 3_600_000;

const FORMAT_NAMES: Readonly<Record<string, string>> = {
  num15: 'number',
  'epoch-ms': 'epoch ms',
  decimal: 'decimal text',
  'decimal-positive': 'decimal text > 0',
  'decimal-not-negative': 'decimal text ≥ 0',
  uuid: 'UUID',
};

const CATEGORY_TITLES: Readonly<Record<CatalogEntry['category'], string>> = {
  market: 'Market events',
  processing: 'Processing events',
  action: 'Action events',
  portfolio: 'Portfolio events',
  state: 'State events',
  system: 'System events',
};

function bounds(schema: TSchema): string {
  const { minimum, maximum, exclusiveMinimum } = schema as {
    minimum?: number;
    maximum?: number;
    exclusiveMinimum?: number;
  };
  if (exclusiveMinimum !== undefined) return ` > ${exclusiveMinimum}`;
  if (maximum === Number.MAX_SAFE_INTEGER) return ` ≥ ${minimum ?? 0}`;
  if (minimum !== undefined && maximum !== undefined) return ` ${minimum}…${maximum}`;
  return minimum === undefined ? '' : ` ≥ ${minimum}`;
}

function mapName(schema: TSchema): string {
  if (schema.freeForm === 'flat') return 'map of number or text';
  if (schema.freeForm === 'keys') return `map of ${typeName(schema.additionalProperties as TSchema)}`;
  return schema.freeForm === 'scalar' ? 'number, text or null' : 'JSON object';
}

/** A field's type in words: format, choices, bounds, members. */
function typeName(schema: TSchema): string {
  const orNull = schema.nullable ? ' or null' : '';
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return `${(schema.enum as unknown[]).map((word) => `\`${String(word)}\``).join(', ')}${orNull}`;
  if (schema.freeForm) return mapName(schema);
  if (schema.oneOf) return (schema.oneOf as TSchema[]).map(typeName).join(' or ');
  if (schema.type === 'array') return `list of ${typeName(schema.items as TSchema)}`;
  if (schema.type === 'object') {
    const needed = new Set((schema.required as string[] | undefined) ?? []);
    const members = Object.entries((schema.properties ?? {}) as Record<string, TSchema>);
    const inner = members.map(([name, member]) => `${name}${needed.has(name) ? '' : '?'}: ${typeName(member)}`);
    return `{ ${inner.join('; ')} }${orNull}`;
  }
  if (schema.type === 'string' && schema.maxLength !== undefined)
    return `text, at most ${String(schema.maxLength)}${orNull}`;
  const name = FORMAT_NAMES[schema.format as string] ?? String(schema.type);
  return `${name}${bounds(schema)}${orNull}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function fieldRows(definition: EventDefinition): string[] {
  const needed = new Set(definition.schema.required ?? []);
  return Object.entries(definition.schema.properties).map(([name, schema]) => {
    const description = (schema.description as string | undefined) ?? '';
    return `| \`${name}\`${needed.has(name) ? '' : ' (optional)'} | ${cell(typeName(schema))} | ${cell(description)} |`;
  });
}

const KEY_WORDS: Readonly<Record<CatalogEntry['keyRule'], string>> = {
  token: 'token',
  portfolio: 'portfolio',
  handlerKey: 'handlerKey',
  scope: 'portfolio, or `global`',
  system: 'the constant `system`',
};

const STREAM_WORDS: Readonly<Record<NonNullable<CatalogEntry['streamRule']>, string>> = {
  order: 'order-<order_id>',
  portfolio: 'portfolio-<portfolio>',
  consensus: 'consensus-<token>',
  'force-close': 'force-close-<portfolio>',
  halts: 'portfolio-<portfolio> or halts-global',
  config: 'config',
  audit: 'audit',
};

/** `feed/…` stands for every source that begins so. */
const sources = ({ emitters }: CatalogEntry): string =>
  emitters.map((emitter) => `\`${emitter.endsWith('/') ? `${emitter}…` : emitter}\``).join(', ');

function eventSection(entry: CatalogEntry): string[] {
  const definition = DEFINITIONS[entry.type] as EventDefinition;
  const store = entry.streamRule ? `store-first, stream \`${STREAM_WORDS[entry.streamRule]}\`` : 'bus-first';
  const operational = entry.operational ? ' · operational' : '';
  const older = SUPERSEDED.filter((old) => old.type === entry.type).map((old) => `v${old.version}`);
  const versions = older.length > 0 ? ` (${older.join(', ')} upcast on read)` : '';
  return [
    `### \`${entry.type}\``,
    '',
    entry.doc,
    '',
    `Version ${entry.schemaVersion}${versions} · topic \`${entry.topic}\` · key: ${KEY_WORDS[entry.keyRule]} · from ${sources(entry)} · ${store}${operational}`,
    '',
    '| Field | Type | Meaning |',
    '| --- | --- | --- |',
    ...fieldRows(definition),
    '',
    '```json',
    JSON.stringify(definition.example, null, 2),
    '```',
    '',
  ];
}

function topicRows(): string[] {
  return (Object.keys(TOPICS) as TopicName[]).map((name) => {
    const { partitions, retentionMs, doc } = TOPICS[name];
    const types = EVENT_TYPES.filter((type) => CATALOG[type].topic === name).map((type) => `\`${type}\``);
    return `| \`${name}\` | ${partitions} | ${retentionMs / HOUR_MS} h | ${types.join(', ')} | ${doc} |`;
  });
}

/** The whole reference as Markdown. */
export function eventReference(): string {
  const lines = [
    '# Event reference',
    '',
    'Generated from `libs/events` by `node scripts/events-reference.mjs`; a test fails when it is out of date.',
    'Numbers are finite and have at most 15 significant digits; times are epoch milliseconds UTC from 2010 to 2099;',
    'decimal text is exact (up to 24 digits and 18 places). Fields beyond those listed are refused. On the broker an event is',
    'refused, too, on another topic than its type has, or from another source than those behind "from" (ADR 0046).',
    '',
    '## Topics',
    '',
    '| Topic | Partitions | Retention | Events | What |',
    '| --- | --- | --- | --- | --- |',
    ...topicRows(),
    '',
  ];
  for (const category of Object.keys(CATEGORY_TITLES) as CatalogEntry['category'][]) {
    lines.push(`## ${CATEGORY_TITLES[category]}`, '');
    for (const type of EVENT_TYPES) if (CATALOG[type].category === category) lines.push(...eventSection(CATALOG[type]));
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
