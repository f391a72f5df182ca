import { Decimal as Reference } from 'decimal.js';
import fc from 'fast-check';
import {
  abs,
  add,
  canonical,
  cmp,
  div,
  fromNumber,
  isZero,
  ledger,
  max,
  min,
  mul,
  mulDiv,
  neg,
  num15,
  roundTo,
  sign,
  sub,
  toNumber,
} from '.';
import type { Rounding } from '.';

const Exact = Reference.clone({ precision: 200, toExpNeg: -400, toExpPos: 400 });
const MODES: Record<Rounding, Reference.Rounding> = {
  'half-even': Reference.ROUND_HALF_EVEN,
  down: Reference.ROUND_DOWN,
  up: Reference.ROUND_UP,
};

/** Any text the schema of a decimal lets through, canonical or not. */
const long = fc
  .tuple(fc.boolean(), fc.stringMatching(/^\d{1,24}$/), fc.option(fc.stringMatching(/^\d{1,18}$/)))
  .map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`);
/** Mostly short ones, as prices and quantities are: they go another way inside than long ones. */
const short = fc
  .tuple(fc.boolean(), fc.integer({ min: 0, max: 10 ** 9 }), fc.option(fc.stringMatching(/^\d{1,9}$/)))
  .map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`);
const decimal = fc.oneof(
  long,
  short,
  fc.constantFrom('0', '-0.0', '0.5', '999999999999999', '9007199254740993', '0.000000000000001'),
);
/** Numbers as prices, quantities and equities are, and what lies just beside them. */
const price = fc
  .tuple(
    fc.integer({ min: -(10 ** 15) - 9, max: 10 ** 15 + 9 }),
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom(1, 1 + 2 ** -52),
  )
  .map(([units, places, beside]) => (units / 10 ** places) * beside);
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }), price);
const scale = fc.integer({ min: 0, max: 18 });
const rounding = fc.constantFrom<Rounding>('half-even', 'down', 'up');
const text = (value: Reference) => (value.isZero() ? '0' : value.toString());

describe('money', () => {
  it('adds, subtracts and multiplies exactly, as decimal.js does with 200 digits', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(add(a, b)).toBe(text(new Exact(a).plus(b)));
        expect(sub(a, b)).toBe(text(new Exact(a).minus(b)));
        expect(mul(a, b)).toBe(text(new Exact(a).times(b)));
      }),
      { numRuns: 3000 },
    );
  });

  it('rounds products and quotients once, in every mode', () => {
    fc.assert(
      fc.property(decimal, decimal, scale, rounding, (a, b, places, mode) => {
        expect(mul(a, b, places)).toBe(text(new Exact(a).times(b).toDecimalPlaces(places, MODES['half-even'])));
        expect(roundTo(a, places, mode)).toBe(text(new Exact(a).toDecimalPlaces(places, MODES[mode])));
        fc.pre(!isZero(b));
        expect(mulDiv(a, a, b, places)).toBe(
          text(new Exact(a).times(a).div(b).toDecimalPlaces(places, MODES['half-even'])),
        );
        expect(div(a, b, places, mode)).toBe(text(new Exact(a).div(b).toDecimalPlaces(places, MODES[mode])));
      }),
      { numRuns: 3000 },
    );
  });

  it('compares by value, whatever the form', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(cmp(a, b)).toBe(new Exact(a).cmp(b));
        expect(sign(a)).toBe(new Exact(a).cmp(0));
        expect(isZero(a)).toBe(new Exact(a).isZero());
        expect(min(a, b)).toBe(text(Exact.min(a, b)));
        expect(max(a, b)).toBe(text(Exact.max(a, b)));
        expect(abs(a)).toBe(text(new Exact(a).abs()));
        expect(neg(a)).toBe(text(new Exact(a).neg()));
      }),
    );
  });

  it('answers in one canonical form for each value', () => {
    for (const form of ['0', '-0', '0.000', '-0.00', '000']) expect(canonical(form)).toBe('0');
    expect(canonical('0012.5000')).toBe('12.5');
    expect(canonical('-100')).toBe('-100');
    expect(canonical('-0.010')).toBe('-0.01');
  });

  it('rounds the ledger half-even at 12 places unless told another scale', () => {
    expect(ledger('0.0000000000005')).toBe('0');
    expect(ledger('0.0000000000015')).toBe('0.000000000002');
    expect(ledger('-0.0000000000025')).toBe('-0.000000000002');
    expect(ledger('0.00000000000250000000000001')).toBe('0.000000000003');
    expect(ledger('1.005', 2)).toBe('1');
    expect(ledger('1.015', 2)).toBe('1.02');
  });

  it.each(['', ' 1', '1e5', '1.', '.5', '+1', 'NaN', 'Infinity', '1,000', '0x10', '--1', '1n'])(
    'refuses %p as a number',
    (bad) => {
      expect(() => add(bad, '1')).toThrow(RangeError);
      expect(() => canonical(bad)).toThrow(bad);
    },
  );

  it('refuses a division by zero', () => {
    expect(() => div('1', '0.0', 2)).toThrow(RangeError);
    expect(() => mulDiv('0', '1', '0', 2)).toThrow(RangeError);
  });

  it('turns every float64 into the shortest text that reads back as it', () => {
    fc.assert(
      fc.property(number, (value) => {
        const written = fromNumber(value);
        expect(written).toBe(text(new Exact(value).toDecimalPlaces(18, MODES['half-even'])));
        if (value === 0 || Math.abs(value) >= 1) expect(toNumber(written)).toBe(value + 0);
      }),
      { numRuns: 3000 },
    );
    expect(fromNumber(1e21)).toBe('1000000000000000000000');
    expect(fromNumber(1.25e-7)).toBe('0.000000125');
    expect(fromNumber(-0)).toBe('0');
    expect(() => fromNumber(Number.NaN)).toThrow(RangeError);
    expect(() => toNumber('')).toThrow(RangeError);
    expect(() => toNumber('ten')).toThrow(RangeError);
  });

  it('reads a decimal as the float64 nearest to it', () => {
    fc.assert(
      fc.property(decimal, (given) => {
        expect(toNumber(given)).toBe(Number(given));
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves at most 15 significant digits in a number of an event', () => {
    expect(num15(0.1 + 0.2)).toBe(0.3);
    expect(Object.is(num15(-0), 0)).toBe(true);
    expect(num15(1234567890123456)).toBe(1234567890123460);
    expect(() => num15(Number.POSITIVE_INFINITY)).toThrow(RangeError);
    fc.assert(
      fc.property(number, (value) => {
        const rounded = num15(value);
        expect(rounded).toBe(Number(value.toPrecision(15)) + 0);
        const digits = new Exact(rounded).precision();
        expect(digits).toBeLessThanOrEqual(15);
        expect(num15(rounded)).toBe(rounded);
      }),
      { numRuns: 3000 },
    );
  });
});
