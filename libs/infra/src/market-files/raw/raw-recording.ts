import { CATALOG, inputId, validateData, type AnyEvent } from '@moon/events';
import type { InputSource } from '@moon/kernel';
import { RowRefused, type MinuteVolume, type ResolveInstrument } from '../formats';
import { refusalOf, type BadRow } from '../row-reader';
import { BinanceFeed } from './binance-feed';
import { HyperliquidFeed } from './hyperliquid-feed';
import { fieldsOf, type RawCounts, type RawEvent, type RawFeed } from './raw-event';
import { MAX_RAW_LINE, readRawLines } from './raw-lines';

export interface RawRecordingOptions {
  path: string;
  /** As instruments call it, e.g. BINANCE-USDM or HYPERLIQUID. */
  venue: string;
  /** Symbol of a depth snapshot that comes before any other message. */
  symbol?: string;
  resolve: ResolveInstrument;
  minuteVolume: () => MinuteVolume;
  headers: AnyEvent['headers'];
  onBad?: (bad: BadRow) => void;
}

/** What became of a recording's lines, as far as it has been read. */
export interface RawReport extends RawCounts {
  lines: number;
  events: number;
  refused: number;
  refusedByReason: Readonly<Record<string, number>>;
  /** Messages whose venue time was before that of an earlier line: they were put in order. */
  outOfOrder: number;
  /** Of those, the ones that were later than the order waits for: given out of order, at the time of those before. */
  tooLate: number;
}

interface Waiting {
  event: RawEvent;
  position: number;
}

/** Streams of one connection overtake one another by some 100 ms; longer is a matter of the recorder's line. */
const REORDER_MS = 2_000;

/**
 * A feed as hftbacktest records it (lines of "local time in ns, space, the venue's JSON"), as events in the order of the
 * venue's time. The streams of a recording overtake one another and a REST snapshot comes when its answer does; ordered by
 * the matching engine's time they are one sequence again. What is later than two seconds is counted.
 *
 * Out of a book: `book.snapshot` and `book.delta`; out of trades and quotes: `price.tick`.
 */
export class RawRecording implements InputSource {
  private readonly feed: RawFeed;
  private readonly lines: AsyncGenerator<string[], string>;
  private readonly volume: MinuteVolume;
  private readonly refused: Record<string, number> = {};
  private waiting: Waiting[] = [];
  private readonly counted = { lines: 0, events: 0, refused: 0, outOfOrder: 0, tooLate: 0 };
  private positions = 0;
  /** Newest venue time read, and newest handed on. */
  private newest = 0;
  private released = 0;
  private hash: string | null = null;

  constructor(private readonly options: RawRecordingOptions) {
    const { venue, resolve, symbol } = options;
    const known = new Map<string, ReturnType<ResolveInstrument>>();
    const remembering = (name: string) => {
      let found = known.get(name);
      if (!found) known.set(name, (found = resolve(venue, name)));
      return found;
    };
    this.feed = venue === 'HYPERLIQUID' ? new HyperliquidFeed(remembering) : new BinanceFeed(remembering, symbol);
    this.volume = options.minuteVolume();
    this.lines = readRawLines(options.path);
  }

  get report(): RawReport {
    return { ...this.feed.counts, ...this.counted, refusedByReason: { ...this.refused } };
  }

  /** SHA-256 of the file as it is, once it has been read to its end; null before. */
  get sha256(): string | null {
    return this.hash;
  }

  async nextBatch(): Promise<readonly AnyEvent[] | null> {
    while (this.hash === null) {
      const batch = await this.lines.next();
      if (batch.done) {
        this.hash = batch.value;
        return this.release(Number.POSITIVE_INFINITY);
      }
      for (const line of batch.value) this.takeLine(line);
      const events = this.release(this.newest - REORDER_MS);
      if (events !== null) return events;
    }
    return null;
  }

  private takeLine(line: string): void {
    this.counted.lines += 1;
    if (line === '') return;
    try {
      if (line.length >= MAX_RAW_LINE)
        throw new RowRefused('line_too_long', `the line has ${MAX_RAW_LINE} characters or more`);
      const space = line.indexOf(' ');
      if (space < 1 || !/^\d{16,20}$/.test(line.slice(0, space)))
        throw new RowRefused('bad_timestamp', 'the line does not begin with a time in nanoseconds');
      for (const event of this.feed.take(parse(line.slice(space + 1)))) this.takeEvent(event);
    } catch (error) {
      const { rule, message } = refusalOf(error);
      this.counted.refused += 1;
      this.refused[rule] = (this.refused[rule] ?? 0) + 1;
      this.options.onBad?.({ file: this.options.path, line: this.counted.lines, rule, message });
    }
  }

  private takeEvent(event: RawEvent): void {
    validateData(event.type, event.data);
    if (event.at < this.newest) this.counted.outOfOrder += 1;
    else this.newest = event.at;
    if (event.at < this.released) this.counted.tooLate += 1;
    this.positions += 1;
    this.waiting.push({ event, position: this.positions });
  }

  /** Hands on what no later line can precede any more. */
  private release(until: number): AnyEvent[] | null {
    this.waiting.sort((a, b) => a.event.at - b.event.at || a.position - b.position);
    let count = 0;
    while (count < this.waiting.length && (this.waiting[count] as Waiting).event.at <= until) count += 1;
    if (count === 0) return null;
    const events = this.waiting.slice(0, count).map(({ event }) => this.build(event));
    this.waiting = this.waiting.slice(count);
    this.released = Math.max(this.released, events[events.length - 1]?.occurredAt ?? 0);
    this.counted.events += events.length;
    return events;
  }

  private build({ type, at, data, instrument, token, identity, quote }: RawEvent): AnyEvent {
    if (quote !== undefined) (data as { volume_1m: number }).volume_1m = this.volume(instrument, at, quote);
    const { venue, headers } = this.options;
    const id = inputId({ source: venue, kind: type, instrument, venueTime: at, values: identity });
    return {
      ...{ id, type, schemaVersion: CATALOG[type].schemaVersion, source: 'feed/recorded', key: token },
      ...{ occurredAt: at, correlationId: id, causationId: null, data, headers },
    } as AnyEvent;
  }
}

function parse(text: string): unknown {
  try {
    return fieldsOf(JSON.parse(text), 'the message');
  } catch (error) {
    if (error instanceof RowRefused) throw error;
    throw new RowRefused(
      'bad_json',
      `the message is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
