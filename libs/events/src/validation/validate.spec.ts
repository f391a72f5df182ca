import type { AnyEvent } from '../envelope';
import { EventRefused } from '../refused';
import { exampleEvent } from '../testing/fixtures';
import { parseEvent, validateEvent } from './validate';

const tick = (): Record<string, unknown> => ({ ...exampleEvent('price.tick') });
const withData = (changes: Record<string, unknown>): unknown => ({
  ...tick(),
  data: { ...(tick().data as object), ...changes },
});

function refusal(act: () => unknown): EventRefused {
  try {
    act();
  } catch (error) {
    if (error instanceof EventRefused) return error;
    throw error;
  }
  throw new Error('The event was accepted.');
}

describe('validation at the boundary', () => {
  it.each([
    ['NaN', { price: Number.NaN }, 'price', 'not_finite'],
    ['Infinity', { price: Number.POSITIVE_INFINITY }, 'price', 'not_finite'],
    ['16 significant digits', { price: 0.1 + 0.2 }, 'price', 'digits'],
    ['a negative size', { size: -0.5 }, 'size', 'negative'],
    ['a price of zero', { price: 0 }, 'price', 'negative'],
    ['an unknown field', { volume: 1 }, 'volume', 'unknown_field'],
    ['seconds', { timestamp: 1729950000 }, 'timestamp', 'seconds'],
    ['microseconds', { timestamp: 1729950000000000 }, 'timestamp', 'microseconds'],
    ['nanoseconds', { timestamp: 1729950000000000000 }, 'timestamp', 'nanoseconds'],
    ['half a millisecond', { timestamp: 1729950000000.5 }, 'timestamp', 'time'],
    ['a string of 1 MB', { tradeId: 'x'.repeat(1_048_576) }, 'tradeId', 'too_long'],
    ['a NUL character', { tradeId: 'a\u0000b' }, 'tradeId', 'control_character'],
    ['half of a surrogate pair', { tradeId: '\ud83d' }, 'tradeId', 'control_character'],
    ['text for a number', { price: '43250.5' }, 'price', 'wrong_type'],
    ['null', { price: null }, 'price', 'wrong_type'],
    ['another kind', { kind: 'index' }, 'kind', 'not_a_choice'],
  ])('refuses %s and names type, field, value and rule', (_what, changes, field, rule) => {
    const error = refusal(() => validateEvent(withData(changes)));
    expect(error).toMatchObject({ type: 'price.tick', field: `data.${field}`, rule });
    expect(error.value.length).toBeLessThanOrEqual(80);
    expect(error.message).toContain(`data.${field}`);
    expect(error.message.length).toBeLessThan(400);
  });

  it('says which unit a time seems to have', () => {
    expect(refusal(() => validateEvent(withData({ timestamp: 1729950000 }))).message).toMatch(/looks like seconds/);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s wherever it stands', (key) => {
    const nested = `{"a":[{"${key}":{"polluted":true}}]}`;
    const inData = JSON.stringify(tick()).replace('"token"', `"${key}":{"polluted":true},"token"`);
    const inEnvelope = JSON.stringify(tick()).replace('"source"', `"${key}":{"polluted":true},"source"`);
    const config = exampleEvent('config.activated');
    const deep = JSON.stringify({ ...config, data: { ...config.data, values: 'V' } }).replace('"V"', nested);
    const inHeaders = JSON.stringify({ ...tick(), headers: 'H' }).replace('"H"', `{"${key}":1}`);
    for (const text of [inData, inEnvelope, deep, inHeaders]) {
      expect(refusal(() => parseEvent(text)).rule).toBe('prototype_key');
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([
    ['1e309', 'not_finite'],
    ['43250.500000000000001', 'digits'],
    ['4325050000000000.1', 'digits'],
    ['0.1234567890123456', 'digits'],
    ['1.2345678901234567e3', 'digits'],
    ['NaN', 'json'],
    ['Infinity', 'json'],
    ['+1', 'json'],
  ])('refuses the price %s in the JSON text', (literal, rule) => {
    const text = JSON.stringify(withData({ price: 'PRICE' })).replace('"PRICE"', literal);
    expect(refusal(() => parseEvent(text)).rule).toBe(rule);
  });

  it.each(['123456789012345', '0.000000000000000123', '43250.50000000000000', '1500000000000000000000', '1e22'])(
    'takes %s, which has at most 15 significant digits',
    (literal) => {
      const text = JSON.stringify(withData({ price: 'PRICE' })).replace('"PRICE"', literal);
      expect(parseEvent(text).data).toMatchObject({ price: Number(literal) });
    },
  );

  it('does not count digits inside texts', () => {
    const text = JSON.stringify(withData({ tradeId: '"1234567890123456789012345' }));
    expect(parseEvent(text).type).toBe('price.tick');
  });

  it('refuses a JSON text of a megabyte before it is parsed', () => {
    const error = refusal(() => parseEvent(`{"type":"${'x'.repeat(1_048_576)}"}`));
    expect(error).toMatchObject({ rule: 'too_long' });
  });

  it.each([
    ['id', 'not-a-uuid', 'uuid'],
    ['id', undefined, 'missing_field'],
    ['type', 'price.tock', 'unknown_type'],
    ['type', 'constructor', 'unknown_type'],
    ['type', undefined, 'missing_field'],
    ['schemaVersion', 2, 'unknown_version'],
    ['source', '', 'too_short'],
    ['source', 'x'.repeat(201), 'too_long'],
    ['key', 7, 'wrong_type'],
    ['occurredAt', 1729950000, 'seconds'],
    ['occurredAt', '1729950000000', 'wrong_type'],
    ['correlationId', 'X', 'uuid'],
    ['causationId', undefined, 'missing_field'],
    ['headers', [], 'wrong_type'],
    ['headers', { note: null }, 'wrong_type'],
    ['headers', { note: 0.1 + 0.2 }, 'digits'],
    ['headers', { mode: 'paper' }, 'not_a_choice'],
    ['headers', { warmup: false }, 'not_a_choice'],
    ['publishedAt', 1, 'unknown_field'],
  ])('refuses an envelope whose %s is %p', (field, value, rule) => {
    const error = refusal(() => validateEvent({ ...tick(), [field]: value }));
    expect(error.rule).toBe(rule);
    expect(error.field).toContain(field);
  });

  it.each([[null], [undefined], [7], ['text'], [[]], [new Date(0)], [new Map()], [() => undefined]])(
    'refuses %p as an envelope',
    (candidate) => {
      expect(refusal(() => validateEvent(candidate)).rule).toBe('envelope');
    },
  );

  it('refuses data that gets its fields from a prototype', () => {
    const data: unknown = Object.create(tick().data as object);
    expect(refusal(() => validateEvent({ ...tick(), data })).rule).toBe('wrong_type');
  });

  it('refuses free-form data that is no plain JSON', () => {
    const config = exampleEvent('config.activated');
    const deep = (depth: number): unknown => (depth === 0 ? 1 : { below: deep(depth - 1) });
    const values: [unknown, string][] = [
      [{ at: new Date(0) }, 'wrong_type'],
      [{ missing: undefined }, 'wrong_type'],
      [{ many: Array.from({ length: 10_001 }, () => 0) }, 'too_many'],
      [{ note: 'x'.repeat(4_001) }, 'too_long'],
      [{ ['k'.repeat(201)]: 1 }, 'too_long'],
      [{ '': 1 }, 'too_short'],
      [{ 'a\u0000': 1 }, 'control_character'],
      [{ rate: Number.NaN }, 'not_finite'],
      [deep(14), 'too_deep'],
    ];
    for (const [value, rule] of values) {
      const candidate = { ...config, data: { ...config.data, values: value } };
      expect(refusal(() => validateEvent(candidate)).rule).toBe(rule);
    }
  });

  it('gives the same object back when all is well', () => {
    const event: unknown = tick();
    const checked: AnyEvent = validateEvent(event);
    expect(checked).toBe(event);
  });
});
