import type { Desk, VenueContext } from './context';
import { make } from './fills';
import { markOf } from './margin';
import { joinQueue, meet, trigger } from './meeting';
import { isMarketable, isPassed, isResting, isTaking, isThrough, isWaiting } from './order-kinds';
import { priceNow, takerPrice, usableBook } from './prices';
import { matchQueue } from './queueing';
import type { OrderState } from './state';

/**
 * How orders meet the market.
 *
 * A price that is seen (a trade, a bar's open or close) fills market orders; triggers stops and take-profits; fills
 * resting limit orders when it is better than their limit (`through`; with `touch` also when it equals it). A quote
 * fills the resting orders that it crosses or meets. A limit order is held against the market once when it arrives and
 * takes what is there up to its limit; what is left rests and is filled at its limit, as maker. A post-only order never
 * takes.
 *
 * Where an order book is fed, takers walk its levels and resting orders queue at their price (queueing.ts); quotes then
 * fill nothing, because the book tells the same with its depth. What happens inside a bar is told in inside-bar.ts.
 */

/** Holds a newly accepted order against the market as it is known. */
export function meetOnArrival(context: VenueContext, desk: Desk, order: OrderState): void {
  if (isWaiting(order)) {
    if (isTriggered(context, desk, order)) trigger(context, desk, order, null);
    return;
  }
  if (order.timeInForce === 'ALO') {
    order.hasMet = true;
    return joinQueue(context, desk, order);
  }
  if (context.models.marketFill.waitsForNext) return;
  const price = priceNow(context, desk, order.side);
  if (price > 0) meet(context, desk, order, price);
}

/** True when an order at `limit` would be filled at once. */
export function wouldCross(context: VenueContext, desk: Desk, order: OrderState): boolean {
  const price = priceNow(context, desk, order.side);
  return price > 0 && isMarketable(order, price);
}

/** A trade, or the open or close of a bar. `price` is the desk's newest last price. */
export function matchTrade(context: VenueContext, desk: Desk, price: number, traded?: Traded): void {
  const queues = context.config.book.queue !== 'none' && usableBook(context, desk.market) !== null;
  for (const order of [...desk.resting]) {
    if (order.status !== 'open') continue;
    if (isTaking(order)) {
      const quoted = takerPrice(context, desk, order.side);
      meet(context, desk, order, quoted > 0 ? quoted : price);
    } else if (isWaiting(order)) {
      if (isTriggered(context, desk, order)) trigger(context, desk, order, null);
    } else if (queues) matchQueue(context, desk, order, { price, size: traded?.size ?? 0, side: traded?.side });
    else if (isThrough(context, order, price, price)) make(context, desk, order);
  }
}

/** What is known of a trade beside its price. */
export interface Traded {
  size?: number;
  side?: 'buy' | 'sell';
}

/** A new best quote. It prices takers of the other side and fills resting orders that it reaches. */
export function matchQuote(context: VenueContext, desk: Desk, quoteSide: 'bid' | 'ask', price: number): void {
  if (usableBook(context, desk.market) !== null) return;
  const takerSide = quoteSide === 'ask' ? 'buy' : 'sell';
  for (const order of [...desk.resting]) {
    if (order.status !== 'open' || order.side !== takerSide) continue;
    if (isTaking(order)) meet(context, desk, order, price);
    else if (isResting(order) && isMarketable(order, price)) make(context, desk, order);
  }
}

/** A new mark price: it only triggers stops and take-profits. */
export function matchMark(context: VenueContext, desk: Desk): void {
  for (const order of [...desk.resting]) {
    if (order.status === 'open' && isWaiting(order) && isTriggered(context, desk, order)) {
      trigger(context, desk, order, null);
    }
  }
}

function isTriggered(context: VenueContext, desk: Desk, order: OrderState): boolean {
  const price = context.config.stopTrigger === 'last' ? desk.market.last : markOf(desk);
  if (price <= 0) return false;
  return isPassed(order, price);
}
