import { eventId } from '@moon/events';
import { RecentIds } from './recent-ids';

const id = (number: number): string => eventId('spec', String(number));

describe('recent ids', () => {
  it('know at least the newest, and forget the oldest', () => {
    const ids = new RecentIds(1_000);
    for (let number = 0; number < 5_000; number += 1) {
      expect(ids.has(id(number))).toBe(false);
      ids.add(id(number));
      ids.add(id(number));
    }
    for (let number = 4_000; number < 5_000; number += 1) expect(ids.has(id(number))).toBe(true);
    expect(Array.from({ length: 3_000 }, (_, number) => ids.has(id(number))).some(Boolean)).toBe(false);
  });

  it('give back the newest in their order, over the seam between what is newer and what is older', () => {
    const ids = new RecentIds(700);
    for (let number = 0; number < 1_000; number += 1) ids.add(id(number));
    const newest = Array.from({ length: 500 }, (_, index) => id(500 + index));
    expect(ids.newest(500)).toEqual(newest);
    expect(ids.newest(2)).toEqual([id(998), id(999)]);
    expect(ids.newest(9_999)).toHaveLength(1_000);
    const again = new RecentIds(700);
    again.restore(ids.pack(500));
    expect(again.newest(9_999)).toEqual(newest);
    expect(again.has(id(499))).toBe(false);
  });

  it('keep ids that are no UUIDs, or not in their canonical form, as what they are', () => {
    const odd = ['order-17', id(1).toUpperCase(), `${id(2)} `, id(3).replaceAll('-', ''), '', `${id(4).slice(0, 35)}g`];
    const zero = '00000000-0000-0000-0000-000000000000';
    const ids = new RecentIds(100);
    for (const one of [...odd, zero, id(5)]) {
      expect(ids.has(one)).toBe(false);
      ids.add(one);
      expect(ids.has(one)).toBe(true);
    }
    expect(ids.has(id(1))).toBe(false);
    const again = new RecentIds(100);
    again.restore(ids.pack(100));
    for (const one of [...odd, zero, id(5)]) expect(again.has(one)).toBe(true);
    expect(again.has(id(4))).toBe(false);
  });

  it('tell ids apart that differ in one bit, wherever it is', () => {
    const ids = new RecentIds(10_000);
    const base = '0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f';
    ids.add(base);
    const others = [...base].flatMap((digit, at) =>
      digit === '-' ? [] : [`${base.slice(0, at)}${(parseInt(digit, 16) ^ 1).toString(16)}${base.slice(at + 1)}`],
    );
    for (const other of others) expect(ids.has(other)).toBe(false);
    for (const other of others) ids.add(other);
    expect(ids.newest(100)).toEqual([base, ...others]);
  });
});
