import Ajv from 'ajv';
import { CATALOG, EVENT_TYPES } from './catalog';
import { exampleEvent } from './testing/fixtures';
import { TOPICS } from './topics';
import { DEFINITIONS, SUPERSEDED } from './types';

const HOUR_MS = 3_600_000;

describe('topic catalog', () => {
  it("[BRK-1] names the document's topics and gives every event type a topic, keyed and partitioned", () => {
    expect(CATALOG['price.tick'].topic).toBe('price.ticks');
    expect(CATALOG['signal.generated'].topic).toBe('signal.generated');
    expect(CATALOG['trade.executed'].topic).toBe('trade.executed');
    expect(CATALOG['liquidation.event'].topic).toBe('liquidation.events');
    expect(CATALOG['sentiment.update'].topic).toBe('sentiment.updates');
    expect(CATALOG['risk.alert'].topic).toBe('risk.alerts');
    expect(CATALOG['state.changed'].topic).toBe('state.changes');
    for (const type of EVENT_TYPES) {
      const { topic, partitions, keyOf } = CATALOG[type];
      expect(TOPICS[topic].partitions).toBe(partitions);
      expect(partitions).toBeGreaterThanOrEqual(1);
      expect(keyOf(exampleEvent(type).data)).toBe(exampleEvent(type).key);
    }
  });

  it('[BRK-1] keys market events by token and portfolio events by portfolio', () => {
    for (const type of EVENT_TYPES) {
      const { category, keyRule } = CATALOG[type];
      if (category === 'market') expect(keyRule).toBe('token');
      if (category === 'action' || category === 'state') expect(keyRule).toBe('portfolio');
    }
  });

  it('has schemas that are JSON schemas, of every version', () => {
    const ajv = new Ajv({ logger: false });
    const broken = { ...DEFINITIONS['price.tick'].schema, required: 'price' };
    expect(ajv.validateSchema(broken)).toBe(false);
    for (const { schema } of [...Object.values(DEFINITIONS), ...SUPERSEDED])
      expect(ajv.validateSchema(schema) === true || ajv.errors).toBe(true);
  });

  it('has no topic without an event type', () => {
    const used = new Set(EVENT_TYPES.map((type) => CATALOG[type].topic));
    expect([...used].sort()).toEqual(Object.keys(TOPICS).sort());
  });

  it('keeps ticks for 24 hours and everything else for 7 days', () => {
    for (const type of EVENT_TYPES) {
      expect(CATALOG[type].retentionMs).toBe((type === 'price.tick' ? 24 : 7 * 24) * HOUR_MS);
    }
  });

  it('never lets the store drop what is written store-first', () => {
    for (const type of EVENT_TYPES) {
      const { store, storeRetentionMs, streamId } = CATALOG[type];
      const stream = streamId(exampleEvent(type).data);
      expect(storeRetentionMs === null).toBe(store === 'stream');
      expect(stream === null).toBe(store === 'bus');
    }
  });

  it('puts orders, portfolios, sagas and halts into streams of their own', () => {
    const streamOf = (type: string): string | null =>
      CATALOG[exampleEvent(type).type].streamId(exampleEvent(type).data);
    expect(streamOf('order.requested')).toBe('order-7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04');
    expect(streamOf('trade.executed')).toBe('order-7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04');
    expect(streamOf('position.closed')).toBe('portfolio-main');
    expect(streamOf('consensus.opened')).toBe('consensus-BTC');
    expect(streamOf('trade.force_close')).toBe('force-close-main');
    expect(streamOf('halt.raised')).toBe('portfolio-main');
    expect(CATALOG['halt.raised'].streamId({ scope: 'global' })).toBe('halts-global');
    expect(CATALOG['halt.raised'].keyOf({ scope: 'global' })).toBe('global');
  });

  it('says which field is missing when a key cannot be formed', () => {
    expect(() => CATALOG['halt.raised'].keyOf({ scope: 'portfolio' })).toThrow(/halt\.raised.*"portfolio"/);
    expect(() => CATALOG['order.requested'].streamId({})).toThrow(/order\.requested.*"order_id"/);
  });
});
