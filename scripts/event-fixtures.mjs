// Writes the fixtures of event types and versions that have none yet: `npm run build && node scripts/event-fixtures.mjs`.
// What is there is never touched: a fixture stands for what may lie in a log for good.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const events = createRequire(import.meta.url)(join(root, 'dist/libs/events/src/index.js'));
const folder = join(root, 'tests/fixtures/events');

const envelopeOf = ({ type, version, example, key }) => {
  const id = events.eventId('fixture', type, String(version));
  const keys = { system: 'system', scope: example.scope === 'global' ? 'global' : example.portfolio };
  return {
    id,
    type,
    schemaVersion: version,
    source: 'fixture',
    key: keys[key] ?? example[key],
    occurredAt: example.timestamp ?? example.dueAt ?? 1729950000000,
    correlationId: id,
    causationId: null,
    data: example,
  };
};

const withField = (envelope, field, value) => ({ ...envelope, data: { ...envelope.data, [field]: value } });

/** What to put in place of a field's value, by the field's format, and the rule that must refuse it. */
const spoiled = {
  num15: (value) => [
    ['digits', 'digits', `${Math.trunc(Math.abs(value)) || 1}.1234567890123456`],
    ['overflow', 'not_finite', '1e309'],
  ],
  'epoch-ms': (value) => [
    ['seconds', 'seconds', String(Math.trunc(value / 1000))],
    ['microseconds', 'microseconds', `${value}000`],
  ],
  decimal: () => [['decimal-comma', 'decimal', '"12,5"']],
  'decimal-positive': () => [['negative', 'negative', '"-1.5"']],
  'decimal-not-negative': () => [['negative', 'negative', '"-1.5"']],
  uuid: (value) => [['upper-case', 'uuid', JSON.stringify(value.toUpperCase())]],
  line: () => [['empty', 'too_short', '""']],
};

function badOnes(definition) {
  const envelope = envelopeOf(definition);
  const fields = Object.keys(definition.schema.properties).filter((name) => name !== 'event_type');
  const first = definition.schema.required.find((name) => name !== 'event_type');
  const { [first]: _left, ...rest } = envelope.data;
  const marker = 'SPOILED';
  const raw = (field, text) => JSON.stringify(withField(envelope, field, marker), null, 2).replace(`"${marker}"`, text);
  const cases = [
    ['missing-field', 'missing_field', `data.${first}`, { ...envelope, data: rest }],
    ['unknown-field', 'unknown_field', 'data.surprise', withField(envelope, 'surprise', 1)],
    ['prototype-key', 'prototype_key', 'data.__proto__', raw('__proto__x', '{}').replace('__proto__x', '__proto__')],
    ['other-type', 'not_a_choice', 'data.event_type', withField(envelope, 'event_type', 'price.tock')],
    ['not-a-number', 'json', '', raw(first, 'NaN')],
    ['wrong-type', 'wrong_type', `data.${first}`, withField(envelope, first, null)],
  ];
  const seen = new Set();
  for (const field of fields) {
    const schema = definition.schema.properties[field];
    const kind = schema.enum ? 'enum' : schema.format;
    const value = envelope.data[field];
    if (value === undefined || value === null || seen.has(kind)) continue;
    seen.add(kind);
    if (kind === 'enum' && typeof value === 'string') {
      cases.push([`${field}-no-choice`, 'not_a_choice', `data.${field}`, withField(envelope, field, 'PERHAPS')]);
    }
    for (const [name, rule, text] of spoiled[kind]?.(value) ?? []) {
      cases.push([`${field}-${name}`, rule, rule === 'digits' ? '' : `data.${field}`, raw(field, text)]);
    }
  }
  for (const field of fields) {
    const { minimum, exclusiveMinimum } = definition.schema.properties[field];
    if ((minimum ?? exclusiveMinimum) !== 0 || envelope.data[field] === undefined) continue;
    cases.push([`${field}-negative`, 'negative', `data.${field}`, withField(envelope, field, -1)]);
    break;
  }
  return cases;
}

function writeNew(path, content) {
  if (existsSync(path)) return 0;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
  return 1;
}

let written = 0;
for (const definition of [...Object.values(events.DEFINITIONS), ...events.SUPERSEDED]) {
  const place = join(folder, definition.type, `v${definition.version}`);
  if (existsSync(place)) continue;
  written += writeNew(join(place, 'ok', 'example.json'), envelopeOf(definition));
  for (const [name, rule, field, event] of badOnes(definition)) {
    const content = { rule, field, ...(typeof event === 'string' ? { text: event } : { event }) };
    written += writeNew(join(place, 'not-ok', `${name}.json`), content);
  }
}
process.stderr.write(`${written} fixture(s) written\n`);
