/**
 * Fields of CSV lines read straight from their bytes, as long as they are plain: no quotes, no signs, no exponents, at most
 * 15 digits. Whoever meets a field that is not plain reads the whole line the long way, so that what is refused, and why,
 * is said in one place. Every function here stops at the line's newline at the latest.
 */

const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** First and last plain time stamp, as in the long way: thirteen digits that begin with 13 to 39. */
const FIRST_PLAIN_MS = 1_300_000_000_000;
const END_PLAIN_MS = 4_000_000_000_000;
const HIGH_DIGITS = 6;
const STAMP_DIGITS = 13;
const LOW_FACTOR = 10_000_000;

/** The time stamp that begins at `start` and ends with a comma 13 bytes on, ms; −1 for anything else. */
export function stampAt(bytes: Uint8Array, start: number): number {
  let high = 0;
  let low = 0;
  for (let at = start; at < start + HIGH_DIGITS; at += 1) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return -1;
    high = high * 10 + (byte - ZERO);
  }
  for (let at = start + HIGH_DIGITS; at < start + STAMP_DIGITS; at += 1) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return -1;
    low = low * 10 + (byte - ZERO);
  }
  if (bytes[start + STAMP_DIGITS] !== COMMA) return -1;
  const stamp = high * LOW_FACTOR + low;
  return stamp >= FIRST_PLAIN_MS && stamp < END_PLAIN_MS ? stamp : -1;
}

/** 10^places: exact up to 10^22. */
const POWERS = Array.from({ length: 23 }, (_, places) => Number(`1e${places}`));
/** So many digits are always a 32-bit integer. */
const SMALL_DIGITS = 9;
/** So many digits are always an exact integer. */
const MAX_DIGITS = 15;

/**
 * Reads plain decimals one after another. Digits ÷ 10^places, both exact, is rounded once: so the number is the one that
 * `Number(text)` gives.
 */
export class DecimalScanner {
  /** Where the next field begins. */
  at = 0;

  /** The decimal that begins at `at` and ends with the byte `stop`, which is passed over; NaN when it is not plain. */
  next(bytes: Uint8Array, stop: number): number {
    const start = this.at;
    let at = start;
    let mantissa = 0;
    let byte = bytes[at]!;
    while (byte >= ZERO && byte <= NINE) {
      mantissa = (mantissa * 10 + (byte - ZERO)) | 0;
      byte = bytes[(at += 1)]!;
    }
    const whole = at - start;
    let places = 0;
    if (byte === POINT) {
      const point = at;
      byte = bytes[(at += 1)]!;
      while (byte >= ZERO && byte <= NINE) {
        mantissa = (mantissa * 10 + (byte - ZERO)) | 0;
        byte = bytes[(at += 1)]!;
      }
      places = at - point - 1;
      if (places === 0) return Number.NaN;
    }
    const digits = whole + places;
    if (byte !== stop || whole === 0 || digits > MAX_DIGITS) return Number.NaN;
    this.at = at + 1;
    const exact = digits <= SMALL_DIGITS ? mantissa : longMantissa(bytes, start, at);
    return places === 0 ? exact : exact / POWERS[places]!;
  }
}

/** The digits from `start` to `end` as one integer, a point among them left out. */
function longMantissa(bytes: Uint8Array, start: number, end: number): number {
  let mantissa = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte !== POINT) mantissa = mantissa * 10 + (byte - ZERO);
  }
  return mantissa;
}

/** Symbols that are compared with the bytes before one is looked up by its text. */
const TRIES = 4;

/** What is known of symbols, found by the bytes of a line. */
export class SymbolTable<S extends { readonly bytes: Buffer }> {
  private readonly byName = new Map<string, S>();
  private readonly known: S[] = [];
  /** The one tried first; in a file of several symbols the next row is often about the next one. */
  private turn = 0;

  /** In the order in which they were added. */
  get names(): string[] {
    return [...this.byName.keys()];
  }

  get(name: string): S | undefined {
    return this.byName.get(name);
  }

  /** @param make is given the symbol's bytes, with the comma behind it */
  add(name: string, make: (bytes: Buffer) => S): S {
    const symbol = make(Buffer.from(`${name},`, 'utf8'));
    this.byName.set(name, symbol);
    this.known.push(symbol);
    return symbol;
  }

  /** The known symbol that begins at `start` and ends with a comma. */
  at(bytes: Buffer, start: number): S | undefined {
    const { known } = this;
    const tries = Math.min(TRIES, known.length);
    for (let count = 0; count < tries; count += 1) {
      const candidate = known[this.turn]!;
      if (startsWith(bytes, start, candidate.bytes)) return candidate;
      this.turn = this.turn + 1 === known.length ? 0 : this.turn + 1;
    }
    if (known.length <= TRIES) return undefined;
    const end = bytes.indexOf(COMMA, start);
    return end < 0 ? undefined : this.byName.get(bytes.toString('latin1', start, end));
  }
}

function startsWith(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}
