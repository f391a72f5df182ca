/**
 * An exact decimal number as text, e.g. `"-1234.5"`. Functions of this module take any decimal text and answer in the
 * one canonical form: no exponent, no trailing or leading zeros, no `"-0"`.
 */
export type Decimal = string;

/**
 * The inside of a decimal string: value = units ÷ 10^scale. Exact; it never leaves this folder, because a bigint is
 * not JSON and two scales of one value are not equal.
 */
export interface Scaled {
  readonly units: bigint;
  readonly scale: number;
}

export type Rounding = 'half-even' | 'down' | 'up';

const POWERS: bigint[] = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent));
const SHAPE = /^-?\d+(?:\.\d+)?$/;

/** 10^exponent, exact. */
export function power(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

/** Reads a decimal string; throws a RangeError that names the text when it is none. */
export function parse(text: Decimal): Scaled {
  if (!SHAPE.test(text))
    throw new RangeError(`"${String(text).slice(0, 80)}" is not a decimal number such as "-12.5".`);
  const dot = text.indexOf('.');
  if (dot < 0) return { units: BigInt(text), scale: 0 };
  return { units: BigInt(text.slice(0, dot) + text.slice(dot + 1)), scale: text.length - dot - 1 };
}

/** Writes the one canonical form: no exponent, no trailing zeros, no leading zeros, no "-0". */
export function format(units: bigint, scale: number): Decimal {
  if (units === 0n) return '0';
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString();
  const sign = negative ? '-' : '';
  if (scale === 0) return sign + digits;
  const padded = digits.length > scale ? digits : digits.padStart(scale + 1, '0');
  const point = padded.length - scale;
  let end = padded.length;
  while (end > point && padded.charCodeAt(end - 1) === 48) end--;
  const whole = sign + padded.slice(0, point);
  return end === point ? whole : `${whole}.${padded.slice(point, end)}`;
}

/** The units of `value` at a scale that is not smaller than its own. */
export function unitsAt(value: Scaled, scale: number): bigint {
  return value.scale === scale ? value.units : value.units * power(scale - value.scale);
}

/**
 * Integer division with the given rounding; `down` is towards zero, `up` away from it, `half-even` to the nearest and
 * at the middle to the even neighbour.
 */
export function divide(dividend: bigint, divisor: bigint, rounding: Rounding): bigint {
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  if (rest === 0n || rounding === 'down') return quotient;
  const away = dividend < 0n === divisor < 0n ? 1n : -1n;
  if (rounding === 'up') return quotient + away;
  const twice = rest < 0n ? -2n * rest : 2n * rest;
  const whole = divisor < 0n ? -divisor : divisor;
  if (twice < whole) return quotient;
  if (twice > whole) return quotient + away;
  return quotient % 2n === 0n ? quotient : quotient + away;
}
