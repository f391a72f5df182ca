import type { VenueContext } from './context';
import type { OrderState } from './state';

/** True for a stop or take-profit that waits for its price. */
export function isWaiting(order: OrderState): boolean {
  return (order.orderType === 'STOP' || order.orderType === 'TAKE_PROFIT') && !order.isTriggered;
}

/** True for what takes the next price it meets: a market order, and a limit order that has met none. */
export function isTaking(order: OrderState): boolean {
  return !isWaiting(order) && (order.limit === 0 || !order.hasMet);
}

/** True for a limit order that rests, also one that a trigger made. */
export function isResting(order: OrderState): boolean {
  return order.limit > 0 && order.hasMet && !isWaiting(order);
}

/** True when a waiting order is set off at `price`: a buy stop and a selling take-profit by a rise, the other two by a fall. */
export function isPassed(order: OrderState, price: number): boolean {
  return triggersAbove(order) ? price >= order.stop : price <= order.stop;
}

export function triggersAbove(order: OrderState): boolean {
  return (order.side === 'buy') === (order.orderType === 'STOP');
}

/** Whether a taker's price is within the order's limit; an order without one takes any. */
export function isMarketable(order: OrderState, price: number): boolean {
  if (order.limit === 0) return true;
  return order.side === 'buy' ? price <= order.limit : price >= order.limit;
}

/** Whether a market between `low` and `high` fills a resting order by the rule of `limitFill`. */
export function isThrough(context: VenueContext, order: OrderState, low: number, high: number): boolean {
  const isTouchEnough = context.config.limitFill === 'touch';
  if (order.side === 'buy') return low < order.limit || (isTouchEnough && low === order.limit);
  return high > order.limit || (isTouchEnough && high === order.limit);
}
