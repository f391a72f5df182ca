import fc from 'fast-check';
import { Conflator } from './conflate';

const same = (a: number, b: number): boolean => a === b;

describe('Conflator', () => {
  it('says the first value and each change, but not the same value twice', () => {
    const values = new Conflator(same);
    expect([values.offer('bid', 7, 0, 0), values.offer('bid', 7, 1, 0), values.offer('bid', 8, 2, 0)]).toEqual([
      7,
      null,
      8,
    ]);
  });

  it('lets a change that comes too early wait, and then says the latest', () => {
    const values = new Conflator(same);
    values.offer('bid', 7, 1_000, 500);
    expect(values.offer('bid', 8, 1_100, 500)).toBeNull();
    expect(values.offer('bid', 9, 1_200, 500)).toBeNull();
    expect(values.nextAt()).toBe(1_500);
    expect(values.due(1_499)).toEqual([]);
    expect(values.due(1_500)).toEqual([9]);
    expect(values.nextAt()).toBeNull();
  });

  it('says nothing when a waiting change is taken back', () => {
    const values = new Conflator(same);
    values.offer('bid', 7, 1_000, 500);
    values.offer('bid', 8, 1_100, 500);
    values.offer('bid', 7, 1_200, 500);
    expect(values.nextAt()).toBeNull();
  });

  it('keeps the interval, and ends with the last value given, for any course of values', () => {
    const steps = fc.array(
      fc.record({ value: fc.integer({ min: 0, max: 3 }), afterMs: fc.integer({ min: 0, max: 400 }) }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(steps, (course) => {
        const values = new Conflator(same);
        const said: { value: number; at: number }[] = [];
        let now = 0;
        const hear = (found: readonly number[], at: number): void =>
          void said.push(...found.map((value) => ({ value, at })));
        for (const { value, afterMs } of course) {
          now += afterMs;
          for (let next = values.nextAt(); next !== null && next <= now; next = values.nextAt())
            hear(values.due(next), next);
          const one = values.offer('bid', value, now, 300);
          if (one !== null) hear([one], now);
        }
        hear(values.due(now + 300), now + 300);
        said.forEach((one, index) => {
          const before = said[index - 1];
          if (before) expect(one.at - before.at).toBeGreaterThanOrEqual(300);
          if (before) expect(one.value).not.toBe(before.value);
        });
        expect(said[said.length - 1]?.value).toBe(course[course.length - 1]?.value);
      }),
    );
  });
});
