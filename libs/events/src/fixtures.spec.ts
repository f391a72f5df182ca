import { EventRefused } from './refused';
import { parseEvent } from './validation/validate';
import { CATALOG, EVENT_TYPES } from './catalog';
import { allDefinitions, badFixtures, fixtureTypes, goodFixtures } from './testing/fixtures';

const versions = allDefinitions.map((definition) => [`${definition.type} v${definition.version}`, definition] as const);

describe('kept fixtures of every event type and version', () => {
  it('has a folder for every type and none for an unknown one', () => {
    expect(fixtureTypes()).toEqual([...EVENT_TYPES].sort());
  });

  it.each(versions)('%s: accepts the good ones, in the current version of the type', (_title, definition) => {
    const fixtures = goodFixtures(definition);
    expect(fixtures.length).toBeGreaterThan(0);
    for (const { text } of fixtures) {
      const event = parseEvent(text);
      expect(event.type).toBe(definition.type);
      expect(event.schemaVersion).toBe(CATALOG[event.type].schemaVersion);
    }
  });

  it.each(versions)('%s: the kept example is the documented one', (_title, definition) => {
    const { text } = goodFixtures(definition).find(({ name }) => name === 'example.json')!;
    expect((JSON.parse(text) as { data: unknown }).data).toEqual(definition.example);
  });

  it.each(versions)('%s: refuses the bad ones by the rule and field that each names', (_title, definition) => {
    const found = badFixtures(definition).map(({ name, text }) => {
      try {
        parseEvent(text);
        return { name, rule: 'accepted', field: '' };
      } catch (error) {
        if (!(error instanceof EventRefused)) throw error;
        return { name, rule: error.rule, field: error.field };
      }
    });
    const expected = badFixtures(definition).map(({ name, rule, field }) => ({ name, rule, field }));
    expect(found).toEqual(expected);
    expect(new Set(expected.map(({ rule }) => rule)).size).toBeGreaterThanOrEqual(5);
  });
});
