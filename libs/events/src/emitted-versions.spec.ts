import { EmittedVersions, READ_VERSIONS } from './emitted-versions';
import { fromCloudEvent, toCloudEvent } from './cloud-event';
import type { AnyEvent } from './envelope';
import { DEFINITIONS } from './types';

const ID = '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04';

function event(type: 'signal.generated' | 'price.tick'): AnyEvent {
  const { version: schemaVersion, example: data } = DEFINITIONS[type];
  return {
    ...{ id: ID, type, schemaVersion, source: 'test', key: 'BTC', occurredAt: 1_729_950_000_000 },
    ...{ correlationId: ID, causationId: null, data },
  } as unknown as AnyEvent;
}

describe('versions at which events are emitted', () => {
  it('are the newest where nothing is said', () => {
    const emitted = new EmittedVersions({});
    const signal = event('signal.generated');
    expect(emitted.wire(signal)).toBe(signal);
    expect(emitted.settle(signal)).toBe(signal);
    expect(emitted.emitted).toEqual(READ_VERSIONS);
    expect(emitted.pinned).toEqual({});
  });

  it('[EVT-6] while older code reads, an event says no more than that code can hear, in this process too', () => {
    const emitted = new EmittedVersions({ 'signal.generated': 1 });
    const signal = event('signal.generated');
    const here = emitted.settle(signal);
    const wire = emitted.wire(here);
    expect(wire.schemaVersion).toBe(1);
    expect(Object.keys(wire.data).sort()).toEqual(['action', 'agent', 'confidence', 'event_type', 'score', 'token']);
    expect(here).toMatchObject({ schemaVersion: 2, data: { reason: '' } });
    expect(here.data).not.toHaveProperty('context');
    // What others read, over the wire, is what was handled here; and to say it again changes nothing.
    expect(fromCloudEvent(toCloudEvent(wire))).toEqual(here);
    expect(emitted.settle(here)).toEqual(here);
    expect(emitted.wire(here)).toEqual(wire);
    expect(emitted.wire(wire)).toBe(wire);
    // It was said before older code had to be minded: it is not taken back.
    expect(emitted.wire(signal)).toBe(signal);
    expect(emitted.settle(event('price.tick'))).toEqual(event('price.tick'));
  });

  it.each([
    [{ 'signal.generatd': 1 }, '"signal.generatd" is no event type'],
    [{ 'signal.generated': 3 }, 'signal.generated has no version 3: this code reads up to version 2'],
    [{ 'price.tick': 0 }, 'cannot be emitted at version 0'],
  ])('refuse %j', (versions, problem) => {
    expect(() => new EmittedVersions(versions)).toThrow(problem);
  });
});
