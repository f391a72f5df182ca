import { bestOf, oppositeOf } from './book';
import type { Desk, VenueContext } from './context';
import type { BookState, MarketState } from './state';

/** The price that a taker of that side meets now, or 0 when none is known or what is known is too old to be traded at. */
export function priceNow(context: VenueContext, desk: Desk, side: 'buy' | 'sell'): number {
  const price = takerPrice(context, desk, side);
  return price > 0 && isStale(context, desk.market) ? 0 : price;
}

/** The price a taker of that side is judged by: the book's, else the opposite quote unless it is too old, else the last price; 0 = none known. */
export function takerPrice(
  context: VenueContext,
  desk: Desk,
  side: 'buy' | 'sell',
  quoteMaxAgeMs = context.config.quoteMaxAgeMs,
): number {
  const { market } = desk;
  const book = usableBook(context, market);
  if (book !== null) {
    const best = bestOf(oppositeOf(book, side));
    if (best > 0) return best;
  }
  const quote = side === 'buy' ? market.ask : market.bid;
  const quotedAt = side === 'buy' ? market.askAt : market.bidAt;
  if (quote > 0 && (market.last === 0 || quotedAt >= market.lastAt - quoteMaxAgeMs)) return quote;
  return market.last;
}

/** The order book, unless trades went on for longer than a while after its last update. */
export function usableBook(context: VenueContext, market: MarketState): BookState | null {
  const { book } = market;
  return book !== null && !book.isBroken && book.at >= market.lastAt - context.config.book.maxAgeMs ? book : null;
}

/**
 * Whether a gap lies between the newest price and now: older than `staleAfterMs`, or than two bars where bars are fed.
 * Nothing was traded that anybody knows of, so nothing is filled.
 */
function isStale(context: VenueContext, market: MarketState): boolean {
  const { staleAfterMs } = context.config;
  const bound = staleAfterMs ?? (market.barMs > 0 ? 2 * market.barMs : Number.POSITIVE_INFINITY);
  const newest = Math.max(market.lastAt, market.bidAt, market.askAt, market.book?.at ?? 0);
  return context.state.time - newest > bound;
}
