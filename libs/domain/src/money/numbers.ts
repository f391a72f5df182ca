import { roundTo } from './decimal';
import type { Decimal } from './scaled';
import { isShort, numberSmall, textOfNumber } from './small';

/** Decimals that a decimal string in an event may have. */
const MOST_PLACES = 18;
const EXPONENT = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/;

/**
 * The shortest decimal text that reads back as `value`, at most 18 places long (half-even).
 * Throws a RangeError for NaN and the infinities, which are no amounts.
 */
export function fromNumber(value: number): Decimal {
  const short = textOfNumber(value);
  if (short !== undefined) return short;
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite number and has no decimal form.`);
  const text = String(value);
  const scientific = EXPONENT.exec(text);
  return roundTo(scientific ? expand(scientific) : text, MOST_PLACES, 'half-even');
}

/** The float64 nearest to a decimal string: for prices and indicators, never for ledger arithmetic. */
export function toNumber(value: Decimal): number {
  const small = numberSmall(value);
  if (small !== undefined) return small;
  const number = Number(value);
  if (value === '' || !Number.isFinite(number)) throw new RangeError(`"${value}" is not a decimal number.`);
  return number;
}

/**
 * `value` rounded to 15 significant digits, the most a JSON number of an event may have: 15 digits survive every
 * reader unchanged. Use it on every computed number before it is emitted. Throws a RangeError when it is not finite.
 */
export function num15(value: number): number {
  if (isShort(value) || (Number.isSafeInteger(value) && Math.abs(value) < 1e15)) return value + 0;
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be written as a number of an event.`);
  return Number(value.toPrecision(15));
}

function expand(parts: RegExpExecArray): Decimal {
  const [, sign = '', lead = '', fraction = '', exponentText = '0'] = parts;
  const exponent = Number(exponentText);
  const digits = lead + fraction;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return sign + digits.padEnd(exponent + 1, '0');
}
