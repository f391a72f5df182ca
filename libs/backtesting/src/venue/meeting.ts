import { sizeAt } from './book';
import type { Desk, VenueContext } from './context';
import { take } from './fills';
import { finish } from './order-life';
import { isMarketable } from './order-kinds';
import { priceNow, usableBook } from './prices';
import { requireAccount } from './reports';
import type { OrderState } from './state';

/** Holds an order that takes against a price; what is left of a limit order rests. */
export function meet(context: VenueContext, desk: Desk, order: OrderState, price: number): void {
  order.hasMet = true;
  if (isMarketable(order, price)) take(context, desk, order, price);
  else if (order.timeInForce === 'IOC') {
    finish(context, requireAccount(context, order.portfolio), order, { status: 'cancelled', code: 'no_liquidity' });
  }
  if (order.status === 'open' && order.limit > 0) joinQueue(context, desk, order);
}

/**
 * A stop or take-profit becomes a market order or, with a limit price, a limit order. `price` is given when it was
 * triggered inside a bar, where its own price was traded.
 */
export function trigger(context: VenueContext, desk: Desk, order: OrderState, price: number | null): void {
  order.isTriggered = true;
  if (price !== null) return meet(context, desk, order, price);
  if (context.models.marketFill.waitsForNext) return;
  const known = priceNow(context, desk, order.side);
  if (known > 0) meet(context, desk, order, known);
}

/** A resting order joins its price behind what the book shows there; without a book there is no queue. */
export function joinQueue(context: VenueContext, desk: Desk, order: OrderState): void {
  const book = usableBook(context, desk.market);
  if (book === null || context.config.book.queue === 'none') return;
  const size = sizeAt(book, order.side, order.limit);
  order.queue = { ahead: size ?? 0, traded: 0, isKnown: size !== null };
}
