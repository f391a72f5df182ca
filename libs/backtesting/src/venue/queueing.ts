import { bestOf, oppositeOf, sizeAt } from './book';
import type { Desk, VenueContext } from './context';
import { make } from './fills';
import { joinQueue, meet } from './meeting';
import { pastTheFront } from './models/queue';
import { isMarketable, isResting, isTaking } from './order-kinds';
import type { BookState, OrderState } from './state';

/**
 * Resting orders where an order book is fed. An order is filled whole by a trade through its price (everything at its
 * price must have gone before), by what is traded past its place in the queue, and by as much of the other side as the
 * book shows at its price or beyond. The recorded book knows nothing of the order: it is never moved by it.
 */

/** A trade as a resting order sees it. */
export function matchQueue(
  context: VenueContext,
  desk: Desk,
  order: OrderState,
  trade: { price: number; size: number; side: 'buy' | 'sell' | undefined },
): void {
  const isBuy = order.side === 'buy';
  if (isBuy ? trade.price < order.limit : trade.price > order.limit) return make(context, desk, order);
  if (trade.price !== order.limit || trade.side === order.side || order.queue === null || !order.queue.isKnown) return;
  context.models.queue.trade(order.queue, trade.size);
  const past = pastTheFront(order.queue);
  if (past > 0) make(context, desk, order, past);
}

/** Sizes at the prices of a desk's resting orders, before the book changes; null when none rests in a queue. */
export function queuedSizes(desk: Desk, book: BookState | null): (number | null)[] | null {
  if (book === null || desk.resting.length === 0) return null;
  return desk.resting.map((order) => (order.queue === null ? null : sizeAt(book, order.side, order.limit)));
}

/** The book has changed: queues move, orders that the other side has come to are filled, takers that wait walk it. */
export function matchBook(context: VenueContext, desk: Desk, book: BookState, before: (number | null)[] | null): void {
  const queues = context.config.book.queue !== 'none';
  const resting = [...desk.resting];
  if (queues) resting.forEach((order, index) => moveQueue(context, order, book, before?.[index] ?? null));
  for (const order of resting) {
    if (order.status !== 'open') continue;
    const best = bestOf(oppositeOf(book, order.side));
    if (isTaking(order)) {
      if (best > 0) meet(context, desk, order, best);
    } else if (isResting(order)) {
      if (best > 0 && isMarketable(order, best)) make(context, desk, order, 'book');
      else if (queues && order.queue === null) joinQueue(context, desk, order);
    }
  }
}

function moveQueue(context: VenueContext, order: OrderState, book: BookState, before: number | null): void {
  const { queue } = order;
  if (queue === null) return;
  const after = sizeAt(book, order.side, order.limit);
  if (after === null) return;
  if (!queue.isKnown || before === null) {
    // Seen for the first time, or again: whoever is there stands before it, unless it stood further ahead already.
    queue.ahead = queue.isKnown ? Math.min(queue.ahead, after) : after;
    queue.isKnown = true;
    queue.traded = 0;
    return;
  }
  if (before !== after) context.models.queue.depth(queue, before, after);
}
