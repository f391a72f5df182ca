import { CATALOG, DEFINITIONS, EVENT_TYPES, type AnyEvent } from '@moon/events';
import { describe as describeEvent } from './describe';
import { table } from './table';
import { clock, count, cut, money, plural, span } from './text';

const T = Date.UTC(2024, 0, 1);

describe('describe', () => {
  it.each(EVENT_TYPES)('says something of a %s, on one line', (type) => {
    const data = { ...DEFINITIONS[type].example, event_type: type };
    const event = {
      id: '1',
      type,
      key: CATALOG[type].keyOf(data as never),
      occurredAt: T,
      data,
    } as unknown as AnyEvent;
    const text = describeEvent(event);
    expect(text).not.toBe('');
    expect(text.replace('properties of undefined', '')).not.toMatch(/undefined|NaN|\[object|\n/);
    expect(text.length).toBeLessThanOrEqual(160);
  });

  it('marks what comes from the warm-up', () => {
    const data = { ...DEFINITIONS['price.tick'].example, event_type: 'price.tick' };
    expect(describeEvent({ type: 'price.tick', data, headers: { warmup: true } } as unknown as AnyEvent)).toMatch(
      /^\(warm-up\) /,
    );
  });
});

describe('text', () => {
  it('writes numbers, times and spans for people', () => {
    expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, -0.001, 1_234.5, -1_234_567.891].map(money)).toEqual(['0.00', '0.00', '1,234.50', '-1,234,567.89']);
    expect([plural(1, 'row'), plural(2_000, 'row')]).toEqual(['1 row', '2,000 rows']);
    expect([85, 2_500, 60_000, 200_000, 7_500_000].map(span)).toEqual([
      '85 ms',
      '2.5 s',
      '1 min',
      '3 min 20 s',
      '2 h 5 min',
    ]);
    expect(clock(T + 1)).toBe('2024-01-01 00:00:00.001');
    expect(cut('a  b\nc', 10)).toBe('a b c');
    expect(cut('abcdef', 4)).toBe('abc…');
  });

  it('sets columns under their titles', () => {
    expect(
      table(
        [{ title: 'name' }, { title: 'n', right: true }],
        [
          ['long name', '1'],
          ['x', '100'],
        ],
      ),
    ).toEqual(['name         n', 'long name    1', 'x          100']);
  });
});
