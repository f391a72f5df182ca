import type { EventData } from '@moon/events';
import { DecimalScanner } from '../market-files/plain-fields';

type Bar = EventData<'bar.closed'> | EventData<'bar.opened'>;
const COMMA = 0x2c;
const END = 0x7d;

/** What stands before each number behind the first one. */
const names = (...fields: string[]): Buffer[] => fields.map((field) => Buffer.from(`"${field}":`));
const CLOSED_NAMES = names('high', 'low', 'close', 'volume', 'timestamp', 'openedAt');
const OPENED_NAMES = names('timestamp');

/** The beginning of the text up to the first number, and what it says. */
interface Beginning {
  bytes: Buffer;
  token: string;
  instrument: string;
  intervalMs: number;
}

/** Beginnings that are kept: one an instrument. */
const MAX_BEGINNINGS = 64;

/**
 * Reads the JSON of bars faster than a JSON parser that does not know what comes: all bars of an instrument begin alike, up to
 * their first price, and then there are plain numbers in a fixed order. Anything else is left to the parser, whose result
 * teaches the beginning.
 */
export class BarJson {
  private readonly scanner = new DecimalScanner();
  private readonly beginnings: Beginning[] = [];
  private turn = 0;

  constructor(private readonly type: 'bar.opened' | 'bar.closed') {}

  read(bytes: Buffer, start: number, end: number): unknown {
    return this.readPlain(bytes, start, end) ?? this.learn(bytes, start, end);
  }

  private readPlain(bytes: Buffer, start: number, end: number): Bar | null {
    const beginning = this.beginningAt(bytes, start);
    if (beginning === undefined) return null;
    const { scanner } = this;
    scanner.at = start + beginning.bytes.length;
    const bar = this.type === 'bar.closed' ? this.closed(bytes, beginning) : this.opened(bytes, beginning);
    return scanner.at === end ? bar : null;
  }

  private closed(bytes: Buffer, { token, instrument, intervalMs }: Beginning): EventData<'bar.closed'> | null {
    const { scanner } = this;
    const open = scanner.next(bytes, COMMA);
    const high = this.named(bytes, CLOSED_NAMES[0]!, COMMA);
    const low = this.named(bytes, CLOSED_NAMES[1]!, COMMA);
    const close = this.named(bytes, CLOSED_NAMES[2]!, COMMA);
    const volume = this.named(bytes, CLOSED_NAMES[3]!, COMMA);
    const timestamp = this.named(bytes, CLOSED_NAMES[4]!, COMMA);
    const openedAt = this.named(bytes, CLOSED_NAMES[5]!, END);
    if (Number.isNaN(open + high + low + close + volume + timestamp + openedAt)) return null;
    return {
      event_type: 'bar.closed',
      token,
      instrument,
      intervalMs,
      open,
      high,
      low,
      close,
      volume,
      timestamp,
      openedAt,
    };
  }

  private opened(bytes: Buffer, { token, instrument, intervalMs }: Beginning): EventData<'bar.opened'> | null {
    const open = this.scanner.next(bytes, COMMA);
    const timestamp = this.named(bytes, OPENED_NAMES[0]!, END);
    if (Number.isNaN(open + timestamp)) return null;
    return { event_type: 'bar.opened', token, instrument, intervalMs, open, timestamp };
  }

  /** The number behind a name; NaN when something else stands there. */
  private named(bytes: Buffer, name: Buffer, stop: number): number {
    const { scanner } = this;
    if (!startsWith(bytes, scanner.at, name)) return Number.NaN;
    scanner.at += name.length;
    return scanner.next(bytes, stop);
  }

  private beginningAt(bytes: Buffer, start: number): Beginning | undefined {
    const { beginnings } = this;
    for (let tries = 0; tries < beginnings.length; tries += 1) {
      const candidate = beginnings[this.turn]!;
      if (startsWith(bytes, start, candidate.bytes)) return candidate;
      this.turn = this.turn + 1 === beginnings.length ? 0 : this.turn + 1;
    }
    return undefined;
  }

  private learn(bytes: Buffer, start: number, end: number): unknown {
    const text = bytes.toString('utf8', start, end);
    const data = JSON.parse(text) as Bar;
    const { token, instrument, intervalMs } = data;
    // What these fields say has to stand before the first price, in the order in which it is written.
    const beginning = JSON.stringify({ event_type: this.type, token, instrument, intervalMs, open: 0 }).slice(0, -2);
    if (this.beginnings.length < MAX_BEGINNINGS && text.startsWith(beginning)) {
      const known = Buffer.from(beginning, 'utf8');
      if (!this.beginnings.some((one) => one.bytes.equals(known))) {
        this.beginnings.push({ bytes: known, token, instrument, intervalMs });
      }
    }
    return data;
  }
}

/** Compares from the end: what tells instruments apart stands there, and so do the bounds of the bytes. */
function startsWith(bytes: Buffer, start: number, expected: Buffer): boolean {
  if (start + expected.length > bytes.length) return false;
  for (let index = expected.length - 1; index >= 0; index -= 1) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}
