import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EventDefinition } from '../define';
import type { AnyEvent } from '../envelope';
import { DEFINITIONS, SUPERSEDED } from '../types';

const folder = join(__dirname, '../../../../tests/fixtures/events');

export interface GoodFixture {
  name: string;
  text: string;
}

export interface BadFixture {
  name: string;
  rule: string;
  field: string;
  /** JSON text of the envelope. */
  text: string;
}

/** Every version of every event type, superseded ones included. */
export const allDefinitions: readonly EventDefinition[] = [
  ...(Object.values(DEFINITIONS) as unknown as EventDefinition[]),
  ...(SUPERSEDED as unknown as readonly EventDefinition[]),
];

const filesIn = (definition: EventDefinition, kind: 'ok' | 'not-ok'): { name: string; text: string }[] => {
  const place = join(folder, definition.type, `v${definition.version}`, kind);
  return readdirSync(place)
    .sort()
    .map((name) => ({ name, text: readFileSync(join(place, name), 'utf8') }));
};

/** Names of the event types that have a folder of fixtures. */
export const fixtureTypes = (): string[] => readdirSync(folder).sort();

export const goodFixtures = (definition: EventDefinition): GoodFixture[] => filesIn(definition, 'ok');

export const badFixtures = (definition: EventDefinition): BadFixture[] =>
  filesIn(definition, 'not-ok').map(({ name, text }) => {
    const content = JSON.parse(text) as { rule: string; field: string; event?: unknown; text?: string };
    return { name, rule: content.rule, field: content.field, text: content.text ?? JSON.stringify(content.event) };
  });

/** The kept example of a type in its current version, as an envelope. */
export function exampleEvent(type: string): AnyEvent {
  const definition = allDefinitions.find((candidate) => candidate.type === type)!;
  return JSON.parse(goodFixtures(definition).find(({ name }) => name === 'example.json')!.text) as AnyEvent;
}
