import type { RawEnvelope } from './upcast';
import { upcast } from './upcast';
import { allDefinitions, goodFixtures } from './testing/fixtures';
import { parseEvent, validateEvent } from './validation/validate';

const versionOf = (type: string, version: number) =>
  allDefinitions.find((definition) => definition.type === type && definition.version === version)!;

const signalV1 = (): RawEnvelope => {
  const [fixture] = goodFixtures(versionOf('signal.generated', 1));
  return JSON.parse(fixture!.text) as RawEnvelope;
};

describe('upcasters', () => {
  it('read a signal of version 1 as one of version 2', () => {
    const raw = signalV1();
    const event = upcast(raw);
    expect(event.schemaVersion).toBe(2);
    expect(event.data).toEqual({ ...raw.data, reason: '', timestamp: raw.occurredAt });
    expect(validateEvent(event)).toBe(event);
    expect(raw.schemaVersion).toBe(1);
  });

  it('leave the current version as it is', () => {
    const current = JSON.parse(goodFixtures(versionOf('signal.generated', 2))[0]!.text) as RawEnvelope;
    expect(upcast(current)).toBe(current);
  });

  it('refuse old data that does not keep its own schema', () => {
    const raw = signalV1();
    const later = { ...raw, data: { ...raw.data, reason: 'a field of version 2' } };
    expect(() => upcast(later)).toThrow(/unknown_field/);
  });

  it.each([0, 3, 1.5, Number.NaN])('refuse version %p, which was never written', (schemaVersion) => {
    expect(() => upcast({ ...signalV1(), schemaVersion })).toThrow(/unknown_version/);
  });

  it('refuse a type that is not in the catalog', () => {
    expect(() => upcast({ ...signalV1(), type: 'toString' })).toThrow(/unknown_type/);
  });

  it('keep an unbroken chain from every superseded version to the current one', () => {
    for (const definition of allDefinitions.filter((candidate) => candidate.upcast)) {
      for (const { text } of goodFixtures(definition)) {
        expect(() => parseEvent(text)).not.toThrow();
      }
      expect(versionOf(definition.type, definition.version + 1)).toBeDefined();
    }
  });
});
