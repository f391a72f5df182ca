import { END_MS, FIRST_MS } from '../fields';
import type { RefusalRule } from '../refused';

/** The tests behind the formats that `fields.ts` names. All are total: any input, no throw. */

const INTEGER_BOUND = 1e15;

/** True for a finite number that has a decimal form of at most 15 significant digits. */
export function hasAtMost15Digits(value: number): boolean {
  const magnitude = Math.abs(value);
  if (magnitude < INTEGER_BOUND) {
    if (Math.floor(magnitude) === magnitude) return true;
    // Dividing two exact integers is rounded correctly, so equality proves that the decimal digits ÷ scale is this number.
    for (let scale = 100; scale <= 1e12; scale *= 100) {
      const digits = Math.round(magnitude * scale);
      if (digits >= INTEGER_BOUND) break;
      if (digits / scale === magnitude) return true;
    }
  }
  return Number.isFinite(value) && Number(value.toPrecision(15)) === value;
}

export const isEpochMs = (value: number): boolean => value >= FIRST_MS && value < END_MS && Math.floor(value) === value;

/** Which unit a number that is no time in milliseconds probably has. */
export function timeRule(value: number): RefusalRule {
  const within = (factor: number): boolean => value >= FIRST_MS * factor && value < END_MS * factor;
  if (within(1e-3)) return 'seconds';
  if (within(1e3)) return 'microseconds';
  if (within(1e6)) return 'nanoseconds';
  return 'time';
}

const DECIMAL = /^-?\d{1,24}(\.\d{1,18})?$/;
const NON_ZERO = /[1-9]/;

export const isDecimal = (text: string): boolean => text.length <= 44 && DECIMAL.test(text);
export const isNonNegativeDecimal = (text: string): boolean =>
  isDecimal(text) && (text.charCodeAt(0) !== 0x2d || !NON_ZERO.test(text));
export const isPositiveDecimal = (text: string): boolean =>
  text.charCodeAt(0) !== 0x2d && isDecimal(text) && NON_ZERO.test(text);

/** Ids that were found right last: an order's id, or its cause's, comes again in all that follows. */
let latestUuid = '';
let earlierUuid = '';

/** Lower case only: the store answers in lower case, and one id must have one spelling. */
export function isUuid(text: string): boolean {
  if (text.length !== 36) return false;
  if (text === latestUuid || text === earlierUuid) return true;
  if (!hasUuidDigits(text)) return false;
  earlierUuid = latestUuid;
  latestUuid = text;
  return true;
}

function hasUuidDigits(text: string): boolean {
  for (let at = 0; at < 36; at += 1) {
    const code = text.charCodeAt(at);
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (code !== 0x2d) return false;
    } else if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

/** One printable line: no control character, no half of a surrogate pair. */
export function isLine(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return false;
    if (code >= 0xd800 && code <= 0xdfff) return isWellFormed(text) && !/[\u0000-\u001f\u007f]/.test(text);
  }
  return true;
}

/** Text that PostgreSQL can keep: no NUL, no half of a surrogate pair. */
export const isText = (text: string): boolean => !text.includes('\u0000') && isWellFormed(text);

/** String.prototype.isWellFormed is in Node 20 but not yet in the ES2023 library types. */
const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed();
