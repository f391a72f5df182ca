import type { AnyEvent } from '@moon/events';

/** A mark that lags the trades by more than this (ms of event time) no longer values anything: the trades do. */
const MARK_LAG_MS = 60_000;

/** What is known of the price of one instrument. Times are event times, ms; 0 = none yet. */
export interface Quote {
  mark: number | null;
  markAt: number;
  last: number | null;
  lastAt: number;
  /** When anything was last heard of it. */
  at: number;
}

/** Prices by which a portfolio's instruments are valued; plain JSON, edited in place. */
export interface PriceBook {
  /** Price source → the instruments that it prices (rule 11: one configured instrument prices each position). */
  sources: Record<string, string[]>;
  /** By traded instrument. */
  quotes: Record<string, Quote>;
  /** The price that values each instrument: its mark, or the last trade when there is no mark (rule 11). */
  marks: Record<string, number>;
}

export function createPriceBook(
  instruments: readonly { readonly instrument: string; readonly priceSource: string }[],
): PriceBook {
  const book: PriceBook = { sources: {}, quotes: {}, marks: {} };
  for (const { instrument, priceSource } of instruments) {
    (book.sources[priceSource] ??= []).push(instrument);
    book.quotes[instrument] = { mark: null, markAt: 0, last: null, lastAt: 0, at: 0 };
  }
  return book;
}

const NONE: readonly string[] = [];

/**
 * Takes a price event into the book and answers the instruments that it prices; none for events and sources that price
 * nothing here, for late prices, and for derived bars, whose prices came as ticks already.
 */
export function foldPrice(book: PriceBook, event: AnyEvent): readonly string[] {
  switch (event.type) {
    case 'price.tick': {
      const { instrument, kind, price, timestamp } = event.data;
      if (kind === 'last') return observe(book, instrument, price, timestamp, false);
      return kind === 'mark' ? observe(book, instrument, price, timestamp, true) : NONE;
    }
    case 'bar.opened':
      if (event.data.derived) return NONE;
      return observe(book, event.data.instrument, event.data.open, event.data.timestamp, false);
    case 'bar.closed':
      if (event.data.derived) return NONE;
      return observe(book, event.data.instrument, event.data.close, event.data.timestamp, false);
    default:
      return NONE;
  }
}

function observe(book: PriceBook, source: string, price: number, at: number, isMark: boolean): readonly string[] {
  const instruments = book.sources[source];
  if (instruments === undefined) return NONE;
  for (const instrument of instruments) {
    const quote = book.quotes[instrument];
    if (quote === undefined || at < (isMark ? quote.markAt : quote.lastAt)) return NONE;
    // A number that is written is a new one in memory, and a bar nearly always opens at the price and time of the last close.
    if (isMark) {
      if (quote.mark !== price) quote.mark = price;
      if (quote.markAt !== at) quote.markAt = at;
    } else {
      if (quote.last !== price) quote.last = price;
      if (quote.lastAt !== at) quote.lastAt = at;
    }
    if (at > quote.at) quote.at = at;
    const isMarked = quote.mark !== null && quote.lastAt - quote.markAt <= MARK_LAG_MS;
    const mark = isMarked ? quote.mark : quote.last;
    if (mark !== null && book.marks[instrument] !== mark) book.marks[instrument] = mark;
  }
  return instruments;
}
