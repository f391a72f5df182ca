import fc from 'fast-check';
import { CurveSampler, DrawdownWatch } from '.';

const equities = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });

function deepest(values: readonly number[]): number {
  let peak = Number.NEGATIVE_INFINITY;
  let worst = 0;
  for (const value of values) {
    peak = Math.max(peak, value);
    worst = Math.min(worst, (value - peak) / peak);
  }
  return worst;
}

describe('DrawdownWatch', () => {
  it('[US3-5] counts the start as the first point and dates the deepest fall', () => {
    const watch = new DrawdownWatch(0, 100);
    [95, 120, 96, 130, 117].forEach((equity, index) => watch.observe(index + 1, equity));
    expect(watch.worst()).toEqual({ depth: (96 - 120) / 120, amount: -24, peakAt: 2, troughAt: 3 });

    const losing = new DrawdownWatch(0, 1);
    losing.observe(1, 0.95);
    losing.observe(2, 0.95 * 1.02);
    expect(losing.worst().depth).toBeCloseTo(-0.05, 12);
  });

  it('[US3-5] finds what a search over all peaks finds, and never leaves [-1, 0]', () => {
    fc.assert(
      fc.property(equities, (values) => {
        const watch = new DrawdownWatch(0, values[0] ?? 0);
        values.forEach((equity, at) => watch.observe(at, equity));
        const { depth, amount, peakAt, troughAt } = watch.worst();
        expect(depth).toBe(deepest(values));
        expect(depth).toBeGreaterThanOrEqual(-1);
        expect(depth).toBeLessThanOrEqual(0);
        expect((values[troughAt] ?? 0) - (values[peakAt] ?? 0)).toBe(amount);
      }),
    );
  });

  it('[US3-5] deposits and withdrawals leave a drawdown as it is', () => {
    const factor = fc.double({ min: 0.5, max: 2, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(factor, fc.double({ min: 0.2, max: 5, noNaN: true })), { maxLength: 40 }),
        (steps) => {
          const plain = new DrawdownWatch(0, 100);
          const flowing = new DrawdownWatch(0, 100);
          let [index, equity] = [100, 100];
          steps.forEach(([growth, flowFactor], at) => {
            index *= growth;
            const grown = equity * growth;
            equity = grown * flowFactor;
            plain.observe(at, index);
            flowing.observe(at, grown);
            flowing.observe(at, equity, equity - grown);
          });
          expect(flowing.worst().depth).toBeCloseTo(plain.worst().depth, 9);
        },
      ),
    );
  });

  it('starts a new peak after the account was emptied, and refuses what is no number', () => {
    const watch = new DrawdownWatch(0, 100);
    watch.observe(1, 0, -100);
    watch.observe(2, 50, 50);
    expect(watch.worst().depth).toBe(0);
    watch.observe(3, 40);
    expect(watch.worst()).toEqual({ depth: -0.2, amount: -10, peakAt: 2, troughAt: 3 });
    watch.observe(4, -10);
    expect(watch.worst().depth).toBe(-1.2);
    expect(() => watch.observe(5, Number.NaN)).toThrow(RangeError);
    expect(() => watch.observe(5, 1, Number.POSITIVE_INFINITY)).toThrow('flow Infinity');
  });
});

describe('CurveSampler', () => {
  const observed = fc.array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 10_000_000 })),
      fc.integer({ min: 1, max: 1000 }),
    ),
    { minLength: 1, maxLength: 3000, size: 'max' },
  );

  it('[US3-5] keeps extremes, start and end of any run in at most 1,999 points, in order of time', () => {
    fc.assert(
      fc.property(observed, (steps) => {
        const sampler = new CurveSampler(1_000, 500);
        let at = 1_000;
        const seen = [{ at, equity: 500 }];
        for (const [wait, equity] of steps) {
          at += wait;
          sampler.observe(at, equity);
          seen.push({ at, equity });
        }
        const points = sampler.points();
        const values = (list: readonly { equity: number }[]) => list.map(({ equity }) => equity);
        expect(points.length).toBeLessThanOrEqual(1_999);
        expect(points[0]).toEqual(seen[0]);
        expect(points.at(-1)).toEqual(seen.at(-1));
        expect(Math.min(...values(points))).toBe(Math.min(...values(seen)));
        expect(Math.max(...values(points))).toBe(Math.max(...values(seen)));
        expect(points.every((point, index) => index === 0 || point.at >= (points[index - 1]?.at ?? 0))).toBe(true);
        const known = new Set(seen.map((point) => `${point.at} ${point.equity}`));
        expect(points.every((point) => known.has(`${point.at} ${point.equity}`))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('[US3-5] keeps every point of a short run and the worst fall of a long one', () => {
    const short = new CurveSampler(0, 1);
    for (let index = 1; index <= 600; index++) short.observe(index * 60_000, index);
    expect(short.points()).toHaveLength(601);

    const long = new CurveSampler(0, 1_000_000);
    const watch = new DrawdownWatch(0, 1_000_000);
    let equity = 1_000_000;
    for (let index = 1; index <= 300_000; index++) {
      equity += ((index * 7919) % 2003) - 1001;
      long.observe(index * 60_000, equity);
      watch.observe(index * 60_000, equity);
    }
    const kept = new DrawdownWatch(0, 1_000_000);
    const points = long.points();
    points.forEach((point) => kept.observe(point.at, point.equity));
    expect(points.length).toBeGreaterThan(800);
    expect(kept.worst().depth).toBeCloseTo(watch.worst().depth, 12);
  });

  it('refuses time that runs backwards and what is no number', () => {
    const sampler = new CurveSampler(10, 1);
    expect(() => sampler.observe(9, 1)).toThrow('backwards');
    expect(() => sampler.observe(11, Number.NaN)).toThrow(RangeError);
  });
});
