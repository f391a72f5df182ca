import { EVENT_TYPES } from './catalog';
import { fromCloudEvent, toCloudEvent } from './cloud-event';
import type { AnyEvent } from './envelope';
import { exampleEvent } from './testing/fixtures';

describe('CloudEvents in binary mode', () => {
  it.each(EVENT_TYPES)('%s: is the same event after the way through a message', (type) => {
    const event = { ...exampleEvent(type), headers: { mode: 'recorded', warmup: true, offset: 12 } } as AnyEvent;
    const message = toCloudEvent(event);
    expect(fromCloudEvent(message)).toEqual(event);
    expect(message.key).toBe(event.key);
  });

  it("has the design document's object as value and the metadata as headers", () => {
    const event = exampleEvent('price.tick');
    const cause = exampleEvent('signal.generated').id;
    const { headers, value } = toCloudEvent({ ...event, causationId: cause, correlationId: cause } as AnyEvent);
    expect(JSON.parse(value)).toEqual(event.data);
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_type: 'price.tick',
      ce_source: 'fixture',
      ce_time: '2024-10-26T13:40:00.000Z',
      ce_partitionkey: 'BTC',
      ce_correlationid: cause,
      ce_causationid: cause,
      ce_schemaversion: '1',
      'content-type': 'application/json',
    });
  });

  it('reads an old version as the current one', () => {
    const {
      reason: _reason,
      timestamp: _timestamp,
      instrument: _instrument,
      context: _context,
      ...old
    } = exampleEvent('signal.generated').data as unknown as Record<string, unknown>;
    const message = toCloudEvent(exampleEvent('signal.generated'));
    const headers = { ...message.headers, ce_schemaversion: '1' };
    const event = fromCloudEvent({ headers, value: JSON.stringify(old) });
    expect(event.schemaVersion).toBe(2);
    expect(event.data).toMatchObject({ reason: '', timestamp: event.occurredAt });
  });

  it('leaves headers of others alone', () => {
    const message = toCloudEvent(exampleEvent('price.tick'));
    const headers = { ...message.headers, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    expect(fromCloudEvent({ ...message, headers })).toEqual(exampleEvent('price.tick'));
  });

  it.each([
    ['ce_id', undefined, /missing_field/],
    ['ce_type', 'price.tock', /unknown_type/],
    ['ce_time', 'yesterday', /not_finite/],
    ['ce_specversion', '0.3', /unknown_version/],
    ['ce_schemaversion', 'one', /unknown_version/],
    ['ce_correlationid', 'x', /uuid/],
    ['moon___proto__', '{"a":1}', /prototype_key/],
    ['moon_mode', '"paper"', /not_a_choice/],
    ['moon_note', '{}', /wrong_type/],
  ])('refuses a message whose header %s is %p', (name, value, rule) => {
    const message = toCloudEvent(exampleEvent('price.tick'));
    const { [name]: _old, ...others } = message.headers;
    const headers = value === undefined ? others : { ...others, [name]: value };
    expect(() => fromCloudEvent({ ...message, headers })).toThrow(rule);
  });

  it('refuses a value that is no valid data', () => {
    const message = toCloudEvent(exampleEvent('price.tick'));
    expect(() => fromCloudEvent({ ...message, value: '{' })).toThrow(/price\.tick refused.*json/);
    expect(() => fromCloudEvent({ ...message, value: 'null' })).toThrow(/wrong_type/);
  });
});
