/**
 * JSON.parse rounds silently: 43250.500000000000001 becomes 43250.5. So the source text itself is looked at for numbers
 * of more than 15 significant digits.
 */

const MAX_DIGITS = 15;
/** A number of more than 15 digits has a run of at least this many digits and points. */
const RUN = MAX_DIGITS + 1;

const isDigitOrPoint = (code: number): boolean => (code >= 0x30 && code <= 0x39) || code === 0x2e;

/**
 * Cheap test of every 16th character: a run of 16 cannot lie between two of them. A run around `at` that is long enough
 * also holds the character 8 before or 8 after it, which rules out most digits that are met.
 */
function mayHaveLongRun(text: string): boolean {
  const end = text.length;
  for (let at = RUN - 1; at < end; at += RUN) {
    if (!isDigitOrPoint(text.charCodeAt(at))) continue;
    if (!isDigitOrPoint(text.charCodeAt(at - RUN / 2)) && !isDigitOrPoint(text.charCodeAt(at + RUN / 2))) continue;
    let first = at - 1;
    while (first >= 0 && isDigitOrPoint(text.charCodeAt(first))) first -= 1;
    let last = at + 1;
    while (last < end && isDigitOrPoint(text.charCodeAt(last))) last += 1;
    if (last - first - 1 >= RUN) return true;
  }
  return false;
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

/** Digits from the first to the last that is not zero; zeros that only place the point do not count. */
function significantDigits(number: string): number {
  const mantissa = number.replace(/[eE].*$/, '').replace(/[-.]/g, '');
  return mantissa.replace(/^0+/, '').replace(/0+$/, '').length;
}

/** The first number in the text of a JSON document that has more than 15 significant digits; null when there is none. */
export function numberBeyond15Digits(text: string): string | null {
  if (!mayHaveLongRun(text)) return null;
  for (const [token] of text.matchAll(STRING_OR_NUMBER)) {
    if (token.charCodeAt(0) !== 0x22 && significantDigits(token) > MAX_DIGITS) return token;
  }
  return null;
}
