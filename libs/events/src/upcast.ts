import type { EventDefinition } from './define';
import { isEventType } from './catalog';
import { EventRefused } from './refused';
import { DEFINITIONS, SUPERSEDED } from './types';
import type { JsonObject } from './json';
import { refusalFrom, validatorOf } from './validation/compile';

const superseded = new Map<string, EventDefinition>(
  SUPERSEDED.map((definition) => [
    `${definition.type}@${definition.version}`,
    definition as unknown as EventDefinition,
  ]),
);

/** The definition of a version of a type, superseded ones included; undefined when there is none. */
export function definitionOf(type: string, version: number): EventDefinition | undefined {
  if (!isEventType(type)) return undefined;
  const current = DEFINITIONS[type] as EventDefinition;
  return current.version === version ? current : superseded.get(`${type}@${version}`);
}

/** An envelope whose data may be of an older version. */
export interface RawEnvelope {
  id: string;
  type: string;
  schemaVersion: number;
  source: string;
  key: string;
  occurredAt: number;
  data: JsonObject;
}

/**
 * Brings an event's data to the current version of its type, step by step (v1 → v2 → …). Data of an old version is
 * checked against that version's schema first.
 * @throws EventRefused for an unknown type or version, or when the old data does not keep its own schema.
 */
export function upcast<R extends RawEnvelope>(raw: R): R {
  let definition = definitionOf(raw.type, raw.schemaVersion);
  if (!definition) {
    const known = isEventType(raw.type);
    throw new EventRefused(String(raw.type), {
      field: known ? 'schemaVersion' : 'type',
      value: known ? raw.schemaVersion : raw.type,
      rule: known ? 'unknown_version' : 'unknown_type',
      expected: known ? 'the catalog has no such version' : 'the catalog has no such type',
    });
  }
  if (!definition.upcast) return raw;
  const validate = validatorOf(definition);
  if (!validate(raw.data)) throw new EventRefused(raw.type, refusalFrom(validate.errors![0]!));
  const { id, key, source, occurredAt } = raw;
  let data = raw.data;
  while (definition.upcast) {
    data = definition.upcast(data, { id, key, source, occurredAt });
    const next = definitionOf(raw.type, definition.version + 1);
    if (!next)
      throw new Error(`${raw.type}: version ${definition.version} is upcast to a version that does not exist.`);
    definition = next;
  }
  return { ...raw, schemaVersion: definition.version, data };
}
