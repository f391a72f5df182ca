import fc from 'fast-check';
import { RegimePlan, driftAt, moodOf, type Regime } from './regimes';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = 1_763_900_000_000;

/** The regimes in force from `from` to `to`, in order. */
function regimesOf(plan: RegimePlan, from: number, to: number): Regime[] {
  const found: Regime[] = [];
  for (let at = from; at < to; at = found[found.length - 1]?.to ?? to) found.push(plan.at(at));
  return found;
}

const seeds = fc.integer({ min: 0, max: 4_294_967_295 });

describe('RegimePlan', () => {
  it('covers time without gaps, in regimes of at least two minutes', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const regimes = regimesOf(new RegimePlan(seed), START, START + 12 * HOUR);
        regimes.slice(1).forEach((regime, index) => expect(regime.from).toBe(regimes[index]?.to));
        for (const { from, to } of regimes) expect(to - from).toBeGreaterThanOrEqual(2 * MINUTE - 2_000);
      }),
      { numRuns: 50 },
    );
  });

  it('has in every hour a clear trend of 16 to 25 minutes, whatever the seed', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 5_000 }), (seed, hour) => {
        const from = Math.floor(START / HOUR) * HOUR + hour * HOUR;
        const trends = regimesOf(new RegimePlan(seed), from, from + HOUR).filter(({ kind }) => kind === 'trend');
        const longest = Math.max(...trends.map((trend) => trend.to - trend.from));
        expect(longest).toBeGreaterThanOrEqual(16 * MINUTE - 1_000);
        expect(longest).toBeLessThanOrEqual(25 * MINUTE + 1_000);
      }),
      { numRuns: 200 },
    );
  });

  it('shows every kind of regime, trends both ways, and after each panic a rebound', () => {
    const regimes = regimesOf(new RegimePlan(3), START, START + 100 * HOUR);
    const kinds = new Set(regimes.map(({ kind, direction }) => `${kind} ${direction}`));
    expect([...kinds].sort()).toEqual(['calm 0', 'panic -1', 'range 0', 'rebound 1', 'trend -1', 'trend 1']);
    regimes.forEach(({ kind }, index) => {
      if (kind === 'panic') expect(regimes[index + 1]?.kind).toBe('rebound');
    });
  });

  it('is a function of seed and time: asked in another order it says the same', () => {
    const [forwards, backwards] = [new RegimePlan(11), new RegimePlan(11)];
    const times = Array.from({ length: 300 }, (_, index) => START + index * 37 * MINUTE);
    const last = [...times]
      .reverse()
      .map((at) => backwards.at(at))
      .reverse();
    expect(times.map((at) => forwards.at(at))).toEqual(last);
    expect(new RegimePlan(12).at(START)).not.toEqual(forwards.at(START));
  });

  it('drifts and talks in the direction of the regime', () => {
    const regimes = regimesOf(new RegimePlan(5), START, START + 50 * HOUR);
    for (const regime of regimes) {
      const middle = driftAt(regime, (regime.from + regime.to) / 2);
      if (regime.kind === 'trend' || regime.kind === 'panic') {
        expect(Math.sign(middle)).toBe(regime.direction);
        expect(Math.sign(moodOf(regime))).toBe(regime.direction);
      } else if (regime.kind === 'calm') expect([middle, moodOf(regime)]).toEqual([0, 0]);
    }
  });
});
