import { takerPrice } from './admission';
import type { Desk, VenueContext } from './context';
import { make, take } from './fills';
import { markOf } from './margin';
import { finish } from './order-life';
import { requireAccount } from './reports';
import type { OrderState } from './state';

/**
 * How orders meet the market.
 *
 * A price that is seen (a trade, a bar's open or close) fills market orders; triggers stop orders; fills resting limit
 * orders when it is better than their limit (`through`; with `touch` also when it equals it). A quote fills the resting
 * orders that it crosses or meets. A limit order is held against the market once when it arrives and takes what is
 * there up to its limit; what is left rests and is filled at its limit, as maker.
 *
 * Inside a bar the order of high and low is not known. The order here is the one that is worse for the account: first
 * stop orders (at the stop price, or at the open when that is beyond it), then limit orders, each by age, then the
 * close. An order that became active during the bar takes no part in its high and low, only in its close.
 */
export interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  openedAt: number;
}

/** Holds a newly accepted order against the market as it is known. */
export function meetOnArrival(context: VenueContext, desk: Desk, order: OrderState): void {
  if (order.orderType === 'STOP') {
    if (isTriggered(context, desk, order)) trigger(context, desk, order, null);
    return;
  }
  if (context.models.marketFill.waitsForNext) return;
  const price = takerPrice(desk, order.side, context.config.quoteMaxAgeMs);
  if (price > 0) meet(context, desk, order, price);
}

/** A trade, or the open or close of a bar. `price` is the desk's newest last price. */
export function matchTrade(context: VenueContext, desk: Desk, price: number): void {
  for (const order of [...desk.resting]) {
    if (order.status !== 'open') continue;
    if (isTaking(order)) {
      const quoted = takerPrice(desk, order.side, context.config.quoteMaxAgeMs);
      meet(context, desk, order, quoted > 0 ? quoted : price);
    } else if (order.orderType === 'STOP') {
      if (isTriggered(context, desk, order)) trigger(context, desk, order, null);
    } else if (isThrough(context, order, price, price)) make(context, desk, order);
  }
}

/** A new best quote. It prices takers of the other side and fills resting orders that it reaches. */
export function matchQuote(context: VenueContext, desk: Desk, quoteSide: 'bid' | 'ask', price: number): void {
  const takerSide = quoteSide === 'ask' ? 'buy' : 'sell';
  for (const order of [...desk.resting]) {
    if (order.status !== 'open' || order.side !== takerSide) continue;
    if (isTaking(order)) meet(context, desk, order, price);
    else if (order.orderType === 'LIMIT' && (takerSide === 'buy' ? price <= order.limit : price >= order.limit)) {
      make(context, desk, order);
    }
  }
}

/** A new mark price: it only triggers stop orders. */
export function matchMark(context: VenueContext, desk: Desk): void {
  for (const order of [...desk.resting]) {
    if (
      order.status === 'open' &&
      order.orderType === 'STOP' &&
      !order.isTriggered &&
      isTriggered(context, desk, order)
    ) {
      trigger(context, desk, order, null);
    }
  }
}

/** The inside of a finished bar; its close is matched afterwards like a trade. */
export function matchBar(context: VenueContext, desk: Desk, bar: Bar, isOpenSeen: boolean): void {
  const early = desk.resting.filter((order) => order.activeFrom <= bar.openedAt);
  if (early.length === 0) return;
  if (!isOpenSeen) {
    for (const order of early) if (order.status === 'open' && isTaking(order)) meet(context, desk, order, bar.open);
  }
  const goesByLast = context.config.stopTrigger === 'last' || desk.market.mark === 0;
  for (const order of early) {
    if (order.status !== 'open' || order.orderType !== 'STOP' || order.isTriggered || !goesByLast) continue;
    const isReached = order.side === 'buy' ? bar.high >= order.stop : bar.low <= order.stop;
    if (!isReached) continue;
    trigger(
      context,
      desk,
      order,
      order.side === 'buy' ? Math.max(order.stop, bar.open) : Math.min(order.stop, bar.open),
    );
  }
  for (const order of early) {
    if (
      order.status === 'open' &&
      order.orderType === 'LIMIT' &&
      order.hasMet &&
      isThrough(context, order, bar.low, bar.high)
    ) {
      make(context, desk, order);
    }
  }
}

/** True for what takes the next price it meets: a market order, a triggered stop, a limit order that has met none. */
function isTaking(order: OrderState): boolean {
  return order.orderType === 'MARKET' || order.isTriggered || (order.orderType === 'LIMIT' && !order.hasMet);
}

function meet(context: VenueContext, desk: Desk, order: OrderState, price: number): void {
  order.hasMet = true;
  const isMarketable = order.limit === 0 || (order.side === 'buy' ? price <= order.limit : price >= order.limit);
  if (isMarketable) return take(context, desk, order, price);
  if (order.timeInForce === 'IOC')
    finish(context, requireAccount(context, order.portfolio), order, { status: 'cancelled', code: 'no_liquidity' });
}

function isThrough(context: VenueContext, order: OrderState, low: number, high: number): boolean {
  const isTouchEnough = context.config.limitFill === 'touch';
  if (order.side === 'buy') return low < order.limit || (isTouchEnough && low === order.limit);
  return high > order.limit || (isTouchEnough && high === order.limit);
}

function isTriggered(context: VenueContext, desk: Desk, order: OrderState): boolean {
  const price = context.config.stopTrigger === 'last' ? desk.market.last : markOf(desk);
  if (price <= 0) return false;
  return order.side === 'buy' ? price >= order.stop : price <= order.stop;
}

/** A stop becomes a market order. `price` is given when it was triggered inside a bar, where its own price was traded. */
function trigger(context: VenueContext, desk: Desk, order: OrderState, price: number | null): void {
  order.isTriggered = true;
  if (price !== null) return meet(context, desk, order, price);
  if (context.models.marketFill.waitsForNext) return;
  const known = takerPrice(desk, order.side, context.config.quoteMaxAgeMs);
  if (known > 0) meet(context, desk, order, known);
}
