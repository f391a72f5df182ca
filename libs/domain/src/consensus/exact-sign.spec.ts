import fc from 'fast-check';
import { exactSign, type Term } from './exact-sign';

/** The same sum over whole numbers, for numbers with at most four decimals. */
function reference(terms: readonly Term[]): number {
  const whole = (value: number): bigint => BigInt(Math.round(value * 10_000));
  const sum = terms.reduce((total, one) => {
    return total + whole(one.factor) * whole(one.share) * (whole(one.plus) - whole(one.minus));
  }, 0n);
  return sum === 0n ? 0 : sum > 0n ? 1 : -1;
}

const upTo = (most: number, decimals: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: most * 10 ** decimals }).map((units) => Number((units / 10 ** decimals).toFixed(decimals)));

const term = fc.record({ factor: upTo(3, 2), share: upTo(1, 1), plus: upTo(100, 1), minus: upTo(100, 1) });

describe('exactSign', () => {
  it('gives the sign of the exact decimal sum', () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 8 }), (terms) => {
        expect(exactSign(terms)).toBe(reference(terms));
      }),
      { numRuns: 2_000 },
    );
  });

  it('sees a tie where float64 sees none', () => {
    const terms = [
      { factor: 0.1, share: 1, plus: 90, minus: 70 },
      { factor: 0.2, share: 1, plus: 70.3, minus: 80.3 },
    ];
    expect(exactSign(terms)).toBe(0);
    const sum = (parts: Term[]): number =>
      parts.reduce((total, one) => total + one.factor * one.share * one.plus - one.factor * one.share * one.minus, 0);
    expect(sum(terms)).not.toBe(0);
  });

  it('does not depend on the order of the terms', () => {
    const shuffled = fc
      .array(term, { minLength: 2, maxLength: 8 })
      .chain((terms) => fc.tuple(fc.constant(terms), fc.shuffledSubarray(terms, { minLength: terms.length })));
    fc.assert(
      fc.property(shuffled, ([terms, others]) => {
        expect(exactSign(others)).toBe(exactSign(terms));
      }),
    );
  });

  it('knows numbers as small and as large as float64 has them', () => {
    expect(exactSign([{ factor: 1e-6, share: 5e-324, plus: 71, minus: 70 }])).toBe(1);
    expect(exactSign([{ factor: 1000, share: 1, plus: 1e21, minus: 1e21 }])).toBe(0);
    expect(exactSign([])).toBe(0);
  });
});
