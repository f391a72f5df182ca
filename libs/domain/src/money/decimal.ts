import { addSmall, cmpSmall, divSmall, mulSmall, roundSmall, signSmall, timesSmall } from './small';
import { divide, format, parse, power, unitsAt, type Decimal, type Rounding, type Scaled } from './scaled';

/** Places a ledger amount has unless the portfolio says otherwise (rule 13). */
export const DEFAULT_LEDGER_SCALE = 12;

/** a + b, exact. */
export function add(a: Decimal, b: Decimal): Decimal {
  const small = addSmall(a, b, 1);
  if (small !== undefined) return small;
  const x = parse(a);
  const y = parse(b);
  const scale = x.scale > y.scale ? x.scale : y.scale;
  return format(unitsAt(x, scale) + unitsAt(y, scale), scale);
}

/** a − b, exact. */
export function sub(a: Decimal, b: Decimal): Decimal {
  const small = addSmall(a, b, -1);
  if (small !== undefined) return small;
  const x = parse(a);
  const y = parse(b);
  const scale = x.scale > y.scale ? x.scale : y.scale;
  return format(unitsAt(x, scale) - unitsAt(y, scale), scale);
}

/** a × b, exact; with `scale` rounded half-even to that many places. */
export function mul(a: Decimal, b: Decimal, scale?: number): Decimal {
  const small = mulSmall(a, b);
  if (small !== undefined) return scale === undefined ? small : roundTo(small, scale, 'half-even');
  const x = parse(a);
  const y = parse(b);
  const places = x.scale + y.scale;
  const units = x.units * y.units;
  if (scale === undefined || places <= scale) return format(units, places);
  return format(divide(units, power(places - scale), 'half-even'), scale);
}

/** a ÷ b rounded once to `scale` places. Throws a RangeError when b is zero. */
export function div(a: Decimal, b: Decimal, scale: number, rounding: Rounding = 'half-even'): Decimal {
  const small = divSmall(a, b, scale);
  if (small !== undefined) return small;
  return quotient(parse(a), parse(b), scale, rounding);
}

function quotient(x: Scaled, y: Scaled, scale: number, rounding: Rounding): Decimal {
  if (y.units === 0n) throw new RangeError(`${format(x.units, x.scale)} cannot be divided by zero.`);
  const shift = scale + y.scale - x.scale;
  const dividend = shift >= 0 ? x.units * power(shift) : x.units;
  const divisor = shift >= 0 ? y.units : y.units * power(-shift);
  return format(divide(dividend, divisor, rounding), scale);
}

/** a × b ÷ c rounded once to `scale` places, half-even. Throws a RangeError when c is zero. */
export function mulDiv(a: Decimal, b: Decimal, c: Decimal, scale: number): Decimal {
  const product = mulSmall(a, b);
  if (product !== undefined) return div(product, c, scale);
  const x = parse(a);
  const y = parse(b);
  return quotient({ units: x.units * y.units, scale: x.scale + y.scale }, parse(c), scale, 'half-even');
}

/** −1, 0 or 1: how a stands to b. */
export function cmp(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const small = cmpSmall(a, b);
  if (small !== undefined) return small;
  const x = parse(a);
  const y = parse(b);
  const scale = x.scale > y.scale ? x.scale : y.scale;
  const left = unitsAt(x, scale);
  const right = unitsAt(y, scale);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** −1, 0 or 1: the sign of a. */
export function sign(a: Decimal): -1 | 0 | 1 {
  const small = signSmall(a);
  if (small !== undefined) return small;
  const { units } = parse(a);
  if (units === 0n) return 0;
  return units < 0n ? -1 : 1;
}

export function isZero(a: Decimal): boolean {
  return a === '0' || sign(a) === 0;
}

/** −a. */
export function neg(a: Decimal): Decimal {
  const small = timesSmall(a, -1);
  if (small !== undefined) return small;
  const { units, scale } = parse(a);
  return format(-units, scale);
}

/** |a|. */
export function abs(a: Decimal): Decimal {
  return sign(a) < 0 ? neg(a) : canonical(a);
}

/** The smaller of two, in canonical form. */
export function min(a: Decimal, b: Decimal): Decimal {
  return canonical(cmp(a, b) <= 0 ? a : b);
}

/** The larger of two, in canonical form. */
export function max(a: Decimal, b: Decimal): Decimal {
  return canonical(cmp(a, b) >= 0 ? a : b);
}

/** The same value in canonical form. */
export function canonical(a: Decimal): Decimal {
  const small = timesSmall(a, 1);
  if (small !== undefined) return small;
  const { units, scale } = parse(a);
  return format(units, scale);
}

/** `value` at most `scale` places long; `down` is towards zero, `up` away from it. */
export function roundTo(value: Decimal, scale: number, rounding: Rounding): Decimal {
  const small = roundSmall(value, scale, rounding);
  if (small !== undefined) return small;
  const x = parse(value);
  if (x.scale <= scale) return format(x.units, x.scale);
  return format(divide(x.units, power(x.scale - scale), rounding), scale);
}

/**
 * THE rounding function of rule 13: every amount that enters the ledger (cash, fee, funding, profit, cost basis) is
 * rounded by it, once, half-even, to the settlement asset's ledger scale.
 */
export function ledger(value: Decimal, scale: number = DEFAULT_LEDGER_SCALE): Decimal {
  return roundTo(value, scale, 'half-even');
}
