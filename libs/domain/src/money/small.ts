import type { Rounding } from './scaled';

/**
 * The fast path: decimals of at most 15 digits before and 15 after the point. Either part is a whole number that
 * float64 holds exactly, so sums are exact, and so are products and quotients below 2^53. A function of this file
 * answers undefined when it cannot be sure, or when a text is no decimal; bigints then do the work.
 */
const MOST_DIGITS = 15;
const LONGEST = 2 * MOST_DIGITS + 2;
const POWERS: number[] = Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
const [MINUS, DOT, ZERO, NINE] = [45, 46, 48, 57];

/** What `read` read last: the parts before and after the point, both with the number's sign, and the digits after it. */
let whole = 0;
let fraction = 0;
let scale = 0;

function read(text: string): boolean {
  const { length } = text;
  if (length > LONGEST) return false;
  const negative = text.charCodeAt(0) === MINUS;
  const first = negative ? 1 : 0;
  let index = first;
  let value = 0;
  let code = text.charCodeAt(index);
  while (code >= ZERO && code <= NINE) {
    value = value * 10 + (code - ZERO);
    code = text.charCodeAt(++index);
  }
  if (index === first || index - first > MOST_DIGITS) return false;
  whole = negative ? -value : value;
  fraction = 0;
  scale = 0;
  return index === length || (code === DOT && readFraction(text, index + 1, negative));
}

function readFraction(text: string, first: number, negative: boolean): boolean {
  const places = text.length - first;
  if (places === 0 || places > MOST_DIGITS) return false;
  let value = 0;
  for (let index = first; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < ZERO || code > NINE) return false;
    value = value * 10 + (code - ZERO);
  }
  fraction = negative ? -value : value;
  scale = places;
  return true;
}

/** Numbers up to here turn into text several times faster: they are no doubles inside. */
const CHUNK = 10_000_000;
const CHUNK_DIGITS = 7;
const ZEROS: string[] = Array.from({ length: MOST_DIGITS + 1 }, (_, count) => '0'.repeat(count));

/** Canonical text of parts that have the same sign, |decimals| below 10^places. */
function text(integer: number, decimals: number, places: number): string {
  if (decimals === 0) return integer === 0 ? '0' : String(integer);
  const sign = integer < 0 || decimals < 0 ? '-' : '';
  return `${sign}${integer < 0 ? -integer : integer}.${decimalText(decimals < 0 ? -decimals : decimals, places)}`;
}

/** The digits after the point, without trailing zeros; `decimals` is above zero. */
function decimalText(decimals: number, places: number): string {
  if (decimals >= CHUNK) {
    const high = Math.floor(decimals / CHUNK);
    const low = decimals - high * CHUNK;
    const left = places - CHUNK_DIGITS;
    return low === 0 ? decimalText(high, left) : padded(high, left) + decimalText(low, CHUNK_DIGITS);
  }
  let rest = decimals;
  let left = places;
  while (rest % 10 === 0) {
    rest /= 10;
    left -= 1;
  }
  return padded(rest, left);
}

function padded(value: number, places: number): string {
  const digits = String(value);
  return digits.length === places ? digits : (ZEROS[places - digits.length] ?? '') + digits;
}

/** What `read` read last as units ÷ 10^scale; NaN when float64 might not hold the units. */
function units(): number {
  const value = whole * (POWERS[scale] as number) + fraction;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** The float64 nearest to a decimal: the quotient of two whole numbers that float64 holds is rounded once, as it must be. */
export function numberSmall(a: string): number | undefined {
  if (!read(a)) return undefined;
  // Without a point, or as one whole number of its last places, the digits are exact.
  if (scale === 0) return whole;
  const value = whole * (POWERS[scale] as number) + fraction;
  return Number.isSafeInteger(value) ? value / (POWERS[scale] as number) : undefined;
}

/**
 * Numbers below a bound that have at most so many places have at most fifteen digits, with which no two decimals are one
 * float64. So when the quotient of whole units and the power of ten, which is rounded once, is the number, then those are its
 * digits, and no fewer would do.
 */
const FINE = { below: 1e7, places: 8, unit: 1e8 } as const;
const COARSE = { below: 1e11, places: 4, unit: 1e4 } as const;

/** The shortest decimal text of a number of the kinds above; undefined for any other. */
export function textOfNumber(value: number): string | undefined {
  const { unit, places } = value < FINE.below && value > -FINE.below ? FINE : COARSE;
  return isShort(value) ? textOfUnits(Math.round(value * unit), places) : undefined;
}

/** Whether a number is of the kinds above, so that it has at most fifteen digits. */
export function isShort(value: number): boolean {
  if (value < FINE.below && value > -FINE.below) return Math.round(value * FINE.unit) / FINE.unit === value;
  if (value < COARSE.below && value > -COARSE.below) return Math.round(value * COARSE.unit) / COARSE.unit === value;
  return false;
}

/** Text of units ÷ 10^places. */
function textOfUnits(value: number, places: number): string | undefined {
  const unit = POWERS[places];
  if (unit === undefined) return value === 0 ? '0' : undefined;
  const integer = Math.trunc(value / unit);
  return text(integer, value - integer * unit, places);
}

/** Whether a text that `read` took is in canonical form: nothing would be gained by writing it anew. */
function isCanonical(a: string): boolean {
  const first = a.charCodeAt(0) === MINUS ? 1 : 0;
  if (a.charCodeAt(first) === ZERO && a.length > first + 1 && a.charCodeAt(first + 1) !== DOT) return false;
  // No zero may end the decimals, and nothing is minus zero.
  return scale === 0 ? whole !== 0 || first === 0 : a.charCodeAt(a.length - 1) !== ZERO;
}

/** a + factor·b with factor 1 or −1. */
export function addSmall(a: string, b: string, factor: 1 | -1): string | undefined {
  if (b === '0') return timesSmall(a, 1);
  if (a === '0') return timesSmall(b, factor);
  if (!read(a)) return undefined;
  let integer = whole;
  let decimals = fraction;
  let places = scale;
  if (!read(b)) return undefined;
  integer += factor * whole;
  if (scale > places) {
    decimals *= POWERS[scale - places] as number;
    places = scale;
  }
  decimals += factor * fraction * (POWERS[places - scale] as number);
  const unit = POWERS[places] as number;
  // Carries, so that the decimals are below one and both parts have the sign of the sum.
  if (decimals >= unit || (decimals > 0 && integer < 0)) {
    decimals -= unit;
    integer += 1;
  } else if (decimals <= -unit || (decimals < 0 && integer > 0)) {
    decimals += unit;
    integer -= 1;
  }
  return text(integer, decimals, places);
}

export function mulSmall(a: string, b: string): string | undefined {
  if (b === '1') return timesSmall(a, 1);
  if (!read(a)) return undefined;
  const x = units();
  const places = scale;
  if (!read(b)) return undefined;
  const product = x * units();
  return Number.isSafeInteger(product) ? textOfUnits(product, places + scale) : undefined;
}

/** a ÷ b when the quotient has an end within `most` places, so that there is nothing to round. */
export function divSmall(a: string, b: string, most: number): string | undefined {
  if (!read(a)) return undefined;
  let x = units();
  let places = scale;
  if (!read(b)) return undefined;
  const y = units();
  places -= scale;
  if (y === 0 || y !== y) return undefined;
  while (places < 0 || x % y !== 0) {
    x *= 10;
    places += 1;
    if (!Number.isSafeInteger(x)) return undefined;
  }
  return places <= most ? textOfUnits(x / y, places) : undefined;
}

/** −1, 0 or 1: how a stands to b. */
export function cmpSmall(a: string, b: string): -1 | 0 | 1 | undefined {
  if (!read(a)) return undefined;
  if (a === b) return 0;
  const integer = whole;
  let decimals = fraction;
  const places = scale;
  if (!read(b)) return undefined;
  if (integer !== whole) return integer < whole ? -1 : 1;
  if (scale > places) decimals *= POWERS[scale - places] as number;
  else fraction *= POWERS[places - scale] as number;
  return decimals === fraction ? 0 : decimals < fraction ? -1 : 1;
}

/** factor·a in canonical form. */
export function timesSmall(a: string, factor: 1 | -1): string | undefined {
  if (!read(a)) return undefined;
  if (!isCanonical(a)) return text(factor * whole, factor * fraction, scale);
  if (factor === 1 || a === '0') return a;
  return a.charCodeAt(0) === MINUS ? a.slice(1) : `-${a}`;
}

/** −1, 0 or 1: the sign of a. */
export function signSmall(a: string): -1 | 0 | 1 | undefined {
  if (!read(a)) return undefined;
  if (whole === 0 && fraction === 0) return 0;
  return whole < 0 || fraction < 0 ? -1 : 1;
}

/** a in canonical form, rounded to `places`. */
export function roundSmall(a: string, places: number, rounding: Rounding): string | undefined {
  if (!read(a)) return undefined;
  if (scale <= places) return isCanonical(a) ? a : text(whole, fraction, scale);
  const step = POWERS[scale - places] as number;
  let kept = Math.trunc(fraction / step);
  const rest = Math.abs(fraction - kept * step);
  const odd = (places === 0 ? whole : kept) % 2 !== 0;
  const away =
    rounding === 'up' ? rest > 0 : rounding === 'half-even' && (rest * 2 > step || (rest * 2 === step && odd));
  if (away) kept += fraction < 0 ? -1 : 1;
  const unit = POWERS[places] as number;
  return Math.abs(kept) === unit ? text(whole + Math.sign(kept), 0, 0) : text(whole, kept, places);
}
