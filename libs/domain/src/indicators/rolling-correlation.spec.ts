import fc from 'fast-check';
import { createRollingCorrelation, dropBefore, pairCount, pearson, pushPair, windowEnds } from './rolling-correlation';

const HOUR = 3_600_000;
const pair = fc.record({
  afterMs: fc.integer({ min: 0, max: 1_500_000 }),
  // JSON knows no −0.
  x: fc.double({ min: -100, max: 100, noNaN: true }).map((x) => x + 0),
  y: fc.double({ min: 9, max: 12, noNaN: true }),
});

/** Pearson's coefficient in two passes over the whole window. */
function naive(pairs: { x: number; y: number }[]): number | null {
  const n = pairs.length;
  const mx = pairs.reduce((total, one) => total + one.x, 0) / n;
  const my = pairs.reduce((total, one) => total + one.y, 0) / n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (const { x, y } of pairs) {
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
    xy += (x - mx) * (y - my);
  }
  return n < 2 || xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

describe('rolling correlation', () => {
  it('[US5-1] equals a recomputation of the last hour at every update, through JSON too', () => {
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 120 }), (steps) => {
        let state = createRollingCorrelation(HOUR);
        const all: { at: number; x: number; y: number }[] = [];
        let at = 1_600_000_000_000;
        for (const { afterMs, x, y } of steps) {
          at += afterMs;
          all.push({ at, x, y });
          pushPair(state, at, x, y);
          state = JSON.parse(JSON.stringify(state)) as typeof state;
          const window = all.filter((one) => one.at > at - HOUR);
          expect(pairCount(state)).toBe(window.length);
          expect(windowEnds(state)).toMatchObject({ oldest: window[0], newest: window.at(-1) });
          const spread = (values: number[]): number => Math.max(...values) - Math.min(...values);
          if (spread(window.map((one) => one.x)) < 1e-3 || spread(window.map((one) => one.y)) < 1e-3) continue;
          expect(pearson(state)).toBeCloseTo(naive(window) ?? Number.NaN, 8);
        }
      }),
    );
  });

  it('[US5-1] has no value with fewer than two pairs or when one side stands still', () => {
    const state = createRollingCorrelation(HOUR);
    expect(pearson(state)).toBeNull();
    pushPair(state, 1, 5, 1);
    expect(pearson(state)).toBeNull();
    pushPair(state, 2, 5, 2);
    expect(pearson(state)).toBeNull();
    pushPair(state, 3, 6, 3);
    expect(pearson(state)).toBeGreaterThan(0);
  });

  it('[US5-1] drops what has left the window when time passes without a pair', () => {
    const state = createRollingCorrelation(1_000);
    pushPair(state, 1_000, 1, 1);
    pushPair(state, 1_500, 2, 2);
    dropBefore(state, 1_999);
    expect(pairCount(state)).toBe(2);
    dropBefore(state, 2_000);
    expect(pairCount(state)).toBe(1);
    dropBefore(state, 9_000);
    expect(pairCount(state)).toBe(0);
    expect(pearson(state)).toBeNull();
    expect(windowEnds(state)).toBeNull();
  });

  it('[US5-1] stays exact over a long run: a million pairs later it still equals the recomputation', () => {
    const state = createRollingCorrelation(60);
    const window: { x: number; y: number }[] = [];
    for (let i = 0; i < 1_000_000; i += 1) {
      const one = { x: 1e6 * Math.sin(i / 7) * (i % 1_000 === 0 ? 1e6 : 1), y: 11 + Math.cos(i * 1.3) / 1e4 };
      pushPair(state, i, one.x, one.y);
      if (i >= 999_940) window.push(one);
    }
    expect(pairCount(state)).toBe(60);
    expect(pearson(state)).toBeCloseTo(naive(window) ?? Number.NaN, 9);
  });
});
