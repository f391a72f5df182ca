import fc from 'fast-check';
import { addToSum, createRollingSum, sumAt } from './rolling-sum';

describe('rolling sum', () => {
  it('is the sum over (t − window, t] at every step, through JSON too', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 40 }),
      value: fc.double({ min: 0, max: 1e9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 200 }), (steps) => {
        let state = createRollingSum(60);
        const all: { at: number; value: number }[] = [];
        let at = 0;
        for (const { afterMs, value } of steps) {
          at += afterMs;
          all.push({ at, value });
          const ours = addToSum(state, at, value);
          const window = all.filter((one) => one.at > at - 60);
          const naive = window.reduce((sum, one) => sum + one.value, 0);
          expect(Math.abs(ours - naive)).toBeLessThanOrEqual(1e-12 * naive);
          expect(state.front.length + state.back.length).toBeLessThanOrEqual(60);
          state = JSON.parse(JSON.stringify(state)) as typeof state;
        }
        expect(sumAt(state, at + 60)).toBe(0);
      }),
    );
  });

  it('forgets a value exactly when the window has passed', () => {
    const state = createRollingSum(60_000);
    addToSum(state, 1_000, 5);
    expect(addToSum(state, 60_999, 7)).toBe(12);
    expect(sumAt(state, 61_000)).toBe(7);
    expect(() => createRollingSum(0)).toThrow(/longer than 0 ms/);
  });
});
