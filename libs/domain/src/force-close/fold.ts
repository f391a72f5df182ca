import type { AnyEvent, EventEnvelope } from '@moon/events';
import { abs, add, isZero, min, neg, sign, sub, type Decimal } from '../money';
import type { ForceCloseState, OpenOrder } from './state';

/** What an event meant for the force close. */
export interface Change {
  /** Instrument in which something was filled: progress. */
  filled?: string;
  /** Instrument whose closing order ended with nothing filled. */
  fruitless?: string;
}

const NOTHING: Change = {};
const REMEMBERED_ORDERS = 128;
const REMEMBERED_EVENTS = 128;

/** True the first time that an event id is asked for; for events that would count twice otherwise. */
export function isFirst(state: ForceCloseState, eventId: string): boolean {
  if (state.seen.includes(eventId)) return false;
  state.seen.push(eventId);
  if (state.seen.length > REMEMBERED_EVENTS) state.seen.shift();
  return true;
}

/**
 * Keeps orders, positions and the saga's own halt in step with the portfolio's events. Events may come twice, late, or
 * in another order than they happened: fills count by the order's cumulative quantity, and an order that has ended stays
 * ended. Position quantities follow trade.executed, which also ends the order, so both change at once.
 */
export function foldEvent(event: AnyEvent, state: ForceCloseState, now: number): Change {
  switch (event.type) {
    case 'order.requested':
      return requested(event, state, now);
    case 'trade.executed':
      return executed(event, state, now);
    case 'trade.rejected':
    case 'trade.cancelled':
    case 'trade.expired':
      return finish(state, event.data.order_id);
    case 'portfolio.position_opened': {
      const { instrument, token, side, quantity } = event.data;
      if (isFirst(state, event.id)) move(state, instrument, token, side === 'long' ? quantity : neg(quantity));
      return NOTHING;
    }
    case 'portfolio.liquidated':
      return liquidated(event, state);
    case 'halt.raised':
    case 'halt.lifted':
      if (event.data.scope === 'portfolio' && event.data.source === HALT_SOURCE) foldHalt(event, state);
      return NOTHING;
    default:
      return NOTHING;
  }
}

/** The source of the halts that the saga raises. */
export const HALT_SOURCE = 'force-close';

/** Old news of an earlier halt, late or repeated, must not be taken for the present one: the owner says each only once. */
function foldHalt(event: EventEnvelope<'halt.raised'> | EventEnvelope<'halt.lifted'>, state: ForceCloseState): void {
  if (!isFirst(state, event.id) || event.occurredAt < state.haltAt) return;
  state.isHalted = event.type === 'halt.raised';
  state.haltAt = event.occurredAt;
}

function requested(event: EventEnvelope<'order.requested'>, state: ForceCloseState, now: number): Change {
  const { order_id, token, instrument, reduceOnly, priority } = event.data;
  if (hasFinished(state, order_id)) return NOTHING;
  const isClosing = reduceOnly && priority === 'force_close';
  const known = state.orders[order_id];
  if (known) known.isClosing = isClosing;
  else state.orders[order_id] = newOrder(token, instrument, isClosing, now);
  return NOTHING;
}

function executed(event: EventEnvelope<'trade.executed'>, state: ForceCloseState, now: number): Change {
  const { order_id, token, instrument, side, cumulativeQuantity, status } = event.data;
  const ended = finishedOf(state).get(order_id);
  const open = ended ? undefined : (state.orders[order_id] ??= newOrder(token, instrument, false, now));
  const more = sub(cumulativeQuantity, (ended ?? open)?.filled ?? '0');
  const isNew = sign(more) > 0;
  if (isNew) {
    if (ended) ended.filled = cumulativeQuantity;
    if (open) {
      open.filled = cumulativeQuantity;
      open.lastNewsAt = now;
    }
    move(state, instrument, token, side === 'buy' ? more : neg(more));
  }
  if (status === 'FILLED') finish(state, order_id);
  return isNew ? { filled: instrument } : NOTHING;
}

function finish(state: ForceCloseState, orderId: string): Change {
  if (hasFinished(state, orderId)) return NOTHING;
  const order = state.orders[orderId];
  delete state.orders[orderId];
  const known = finishedOf(state);
  const end = { orderId, filled: order?.filled ?? '0' };
  known.set(orderId, end);
  state.finished.push(end);
  const oldest = state.finished.length > REMEMBERED_ORDERS ? state.finished.shift() : undefined;
  if (oldest !== undefined) known.delete(oldest.orderId);
  return order?.isClosing && isZero(order.filled) ? { fruitless: order.instrument } : NOTHING;
}

/** A liquidation only ever brings a position nearer to zero. */
function liquidated(event: EventEnvelope<'portfolio.liquidated'>, state: ForceCloseState): Change {
  const { instrument, token, quantity } = event.data;
  const held = state.positions[instrument]?.quantity ?? '0';
  if (!isFirst(state, event.id) || isZero(held)) return NOTHING;
  const size = min(abs(quantity), abs(held));
  move(state, instrument, token, sign(held) > 0 ? neg(size) : size);
  return { filled: instrument };
}

function move(state: ForceCloseState, instrument: string, token: string, by: Decimal): void {
  const quantity = add(state.positions[instrument]?.quantity ?? '0', by);
  if (isZero(quantity)) delete state.positions[instrument];
  else state.positions[instrument] = { token, quantity };
}

function newOrder(token: string, instrument: string, isClosing: boolean, now: number): OpenOrder {
  return { token, instrument, filled: '0', isClosing, lastNewsAt: now, cancel: { tries: 0, nextAt: now } };
}

type Finished = ForceCloseState['finished'];

/** The finished orders by id: found from the state, and never part of it. */
const finishedById = new WeakMap<Finished, Map<string, Finished[number]>>();

function finishedOf({ finished }: ForceCloseState): Map<string, Finished[number]> {
  let known = finishedById.get(finished);
  if (known === undefined)
    finishedById.set(finished, (known = new Map(finished.map((order) => [order.orderId, order]))));
  return known;
}

function hasFinished(state: ForceCloseState, orderId: string): boolean {
  return finishedOf(state).has(orderId);
}
