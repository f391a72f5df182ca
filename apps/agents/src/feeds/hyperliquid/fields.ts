/** A message, or a part of one, that is not published; `reason` is what is counted. */
export class MessageRefused extends Error {
  override readonly name = 'MessageRefused';
  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(message);
  }
}

export type RefusalReason =
  | 'json'
  | 'shape'
  | 'number'
  | 'digits'
  | 'side'
  | 'time'
  | 'future'
  | 'not_positive'
  | 'crossed_book'
  | 'ohlc_inconsistent'
  | 'unknown_channel'
  | 'unknown_coin'
  | 'binary'
  | 'venue_error'
  /** No message at all: a REST request that was not answered. */
  | 'no_answer';

type Fields = Readonly<Record<string, unknown>>;

const SHOWN = 60;
const DECIMAL = /^-?\d{1,20}(\.\d{1,20})?$/;
const MAX_DIGITS = 15;

export function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, SHOWN);
}

/** The value as an object. */
export function record(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new MessageRefused('shape', `${what} is ${show(value)}; an object is expected`);
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new MessageRefused('shape', `${what} is ${show(value)}; an array is expected`);
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value.length > 0 && value.length <= 100) return value;
  throw new MessageRefused('shape', `${name} is ${show(value)}; a text is expected`);
}

/** A decimal as the venue writes it: text, at most 15 significant digits, since more would be rounded unseen. */
export function decimal(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'string' || !DECIMAL.test(value)) {
    throw new MessageRefused('number', `${name} is ${show(value)}; a decimal as text is expected`);
  }
  const digits = value.replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '');
  if (digits.length > MAX_DIGITS) {
    throw new MessageRefused(
      'digits',
      `${name} is ${show(value)}; at most ${MAX_DIGITS} significant digits can be kept`,
    );
  }
  const number = Number(value);
  return number === 0 ? 0 : number;
}

export function positive(fields: Fields, name: string): number {
  const number = decimal(fields, name);
  if (number > 0) return number;
  throw new MessageRefused('not_positive', `${name} is ${show(fields[name])}; more than zero is expected`);
}

/** Epoch milliseconds between 2010 and 2100; seconds and microseconds lie outside. */
export function time(fields: Fields, name: string): number {
  const value = fields[name];
  if (
    typeof value === 'number' &&
    Number.isSafeInteger(value) &&
    value >= 1_262_304_000_000 &&
    value < 4_102_444_800_000
  ) {
    return value;
  }
  throw new MessageRefused('time', `${name} is ${show(value)}; epoch milliseconds are expected`);
}

/** B = the aggressor buys, A = it sells. */
export function takerSide(fields: Fields, name: string): 'buy' | 'sell' {
  const value = fields[name];
  if (value === 'B') return 'buy';
  if (value === 'A') return 'sell';
  throw new MessageRefused('side', `${name} is ${show(value)}; "B" or "A" is expected`);
}

export function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new MessageRefused('json', `no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Each part that can be used; `refuse` hears of the others, so that one bad part does not cost the good ones. */
export function eachOf<T>(
  parts: readonly unknown[],
  parse: (part: unknown) => T,
  refuse: (error: MessageRefused, part: unknown) => void,
): T[] {
  const good: T[] = [];
  for (const part of parts) {
    try {
      good.push(parse(part));
    } catch (error) {
      if (!(error instanceof MessageRefused)) throw error;
      refuse(error, part);
    }
  }
  return good;
}
