import type { Desk, VenueContext } from './context';
import { make } from './fills';
import { meet, trigger } from './meeting';
import { isPassed, isResting, isTaking, isThrough, isWaiting, triggersAbove } from './order-kinds';
import type { OrderState } from './state';

export interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  openedAt: number;
}

/**
 * The inside of a finished bar; its close is matched afterwards like a trade. An order that became active during the bar
 * takes no part in its high and low, only in its close.
 *
 * A stop or take-profit that is reached is filled at its own price, or at the open when that is beyond it: then there
 * was no trade at its price. A resting limit order is filled at its limit.
 */
export function matchBar(context: VenueContext, desk: Desk, bar: Bar, isOpenSeen: boolean): void {
  if (!isAnyReached(context, desk, bar, isOpenSeen)) return;
  const early = desk.resting.filter((order) => order.activeFrom <= bar.openedAt);
  if (!isOpenSeen) {
    for (const order of early) if (order.status === 'open' && isTaking(order)) meet(context, desk, order, bar.open);
  }
  const highFirst = context.models.barPath.highFirst(bar);
  if (highFirst === null) matchAdversely(context, desk, bar, early);
  else matchAlong(context, desk, early, cornersOf(bar, highFirst));
}

/** Whether the bar does anything to any order: most bars do nothing, and nothing is made for them. */
function isAnyReached(context: VenueContext, desk: Desk, bar: Bar, isOpenSeen: boolean): boolean {
  for (const order of desk.resting) {
    if (order.activeFrom > bar.openedAt) continue;
    if (isWaiting(order)) {
      if (goesByLast(context, desk) && isPassed(order, farEnd(order, bar))) return true;
    } else if (isResting(order) ? isThrough(context, order, bar.low, bar.high) : !isOpenSeen) return true;
  }
  return false;
}

/** The extreme of a bar that a waiting order looks at. */
const farEnd = (order: OrderState, bar: Bar): number => (triggersAbove(order) ? bar.high : bar.low);

/** Stop orders inside a bar go by its prices unless a mark is fed: marks come by themselves. */
function goesByLast(context: VenueContext, desk: Desk): boolean {
  return context.config.stopTrigger === 'last' || desk.market.mark === 0;
}

/** Stops, then take-profits, then limits, each by age: see models/bar-path. */
function matchAdversely(context: VenueContext, desk: Desk, bar: Bar, early: readonly OrderState[]): void {
  // What a trigger makes a resting limit order of comes too late for this bar's extremes.
  const limits = early.filter(isResting);
  if (goesByLast(context, desk)) {
    for (const type of ['STOP', 'TAKE_PROFIT'] as const) {
      for (const order of early) {
        if (order.status !== 'open' || order.orderType !== type || !isWaiting(order)) continue;
        if (!isPassed(order, farEnd(order, bar))) continue;
        trigger(context, desk, order, isPassed(order, bar.open) ? bar.open : order.stop);
      }
    }
  }
  for (const order of limits) {
    if (order.status === 'open' && isThrough(context, order, bar.low, bar.high)) make(context, desk, order);
  }
}

function cornersOf({ open, high, low, close }: Bar, highFirst: boolean): readonly number[] {
  return highFirst ? [open, high, low, close] : [open, low, high, close];
}

/** Walks the bar from corner to corner and takes each order where its price is passed; what the open has passed comes first. */
function matchAlong(context: VenueContext, desk: Desk, early: readonly OrderState[], corners: readonly number[]): void {
  const done = new Set<OrderState>();
  let from = corners[0] as number;
  for (const to of corners) {
    matchStep(context, desk, early, { from, to, done });
    from = to;
  }
}

function matchStep(
  context: VenueContext,
  desk: Desk,
  early: readonly OrderState[],
  { from, to, done }: { from: number; to: number; done: Set<OrderState> },
): void {
  for (;;) {
    let next: OrderState | null = null;
    let where = 0;
    for (const order of early) {
      if (order.status !== 'open' || done.has(order)) continue;
      const price = reachedAt(context, desk, order, { from, to });
      if (price === null || (next !== null && Math.abs(price - from) >= Math.abs(where - from))) continue;
      next = order;
      where = price;
    }
    if (next === null) return;
    from = where;
    if (isWaiting(next)) trigger(context, desk, next, where);
    else {
      make(context, desk, next);
      // One bar has one allowance of liquidity: what is left waits for the next one.
      done.add(next);
    }
  }
}

/** The price at which an order is reached on the way, or null. */
function reachedAt(
  context: VenueContext,
  desk: Desk,
  order: OrderState,
  { from, to }: { from: number; to: number },
): number | null {
  if (isWaiting(order)) {
    if (!goesByLast(context, desk)) return null;
    if (isPassed(order, from)) return from;
    return isPassed(order, to) ? order.stop : null;
  }
  if (!isResting(order) || !isThrough(context, order, Math.min(from, to), Math.max(from, to))) return null;
  const isPast = order.side === 'buy' ? from <= order.limit : from >= order.limit;
  return isPast ? from : order.limit;
}
