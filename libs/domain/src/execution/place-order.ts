import { eventId } from '@moon/events';
import type { CancelOrder, ClosePosition, PlaceOrder } from '../handler';
import { findInstrument, roundQuantityDown } from '../instruments';
import { cmp, num15, sign } from '../money';
import { approveOrder, isRefused, requestCancel, requestOrder, type OrderState, type Problem } from '../order';
import { decideReservation, reducibleQuantity, signedQuantity } from '../portfolio';
import { checkOrder, resolveLimits, type Breach, type OrderIntent, type Verdict } from '../risk';
import { commit, commitOrHalt, releaseReservation, type Owner } from './owner';
import { hasApproval, isDecided, rememberUnsent } from './state';

const SECOND_MS = 1_000;
const LONGEST_MESSAGE = 4_000;
/** Ends that undo an order as if it had never been sent, when nothing of it was filled. */
const UNDONE: ReadonlySet<string> = new Set(['rejected', 'cancelled', 'expired']);

/** Judges an order by all limits, with everything that is in flight in this instant. */
export function judge({ config, state, out }: Owner, order: OrderIntent): Verdict {
  return checkOrder(order, {
    now: out.now,
    portfolio: state.portfolio,
    bounds: state.bounds ?? resolveLimits(out.key, config.limits, {}),
    prices: state.prices,
    tracker: state.tracker,
    slippageReserve: config.slippageReserve,
    ordersInLastSecond: state.approvedAt.filter((at) => at > out.now - SECOND_MS).length,
    duplicateOf: duplicateOf({ config, state, out }, order),
  });
}

/**
 * Decides one order, once for each order id: approved with its reservation, or refused with every breach. There is no
 * other way to an order: routing, force close and operators all come through here.
 *
 * @param known the verdict on this very order in this very moment, when the caller has asked for it already
 */
export function placeOrder(owner: Owner, given: PlaceOrder, known?: Verdict): void {
  const { state, out } = owner;
  if (isDecided(state, given.orderId)) return;
  const verdict = known ?? judge(owner, given);
  // Let through in spite of a breach because it only reduces: then it goes out reduce-only, the only kind that passes a halt.
  const command = verdict.isApproved && verdict.breaches.length > 0 ? { ...given, reduceOnly: true } : given;
  const { portfolio } = state;
  if (portfolio === null || verdict.reference === null) return refuseUnrequested(owner, command, verdict.breaches);
  const referencePrice = num15(verdict.reference);
  const opening = requestOrder(undefined, command, { referencePrice, notional: verdict.reserve, timestamp: out.now });
  if (isRefused(opening)) return refuseUnrequested(owner, command, verdict.breaches, opening.refused);
  commit(owner, opening.events);
  if (!verdict.isApproved) return refuse(owner, command, verdict.breaches);
  const { orderId, instrument, side, quantity, reduceOnly } = command;
  const room = { orderId, instrument, side, quantity, reduceOnly, notional: verdict.reserve, timestamp: out.now };
  const reservation = decideReservation(portfolio, room);
  if (isRefused(reservation)) {
    return refuse(owner, command, [...verdict.breaches, breachOf(reservation.refused)]);
  }
  commit(owner, reservation.events);
  approve(owner, command, verdict);
}

function approve(owner: Owner, command: PlaceOrder, { breaches, limitsChecked }: Verdict): void {
  const { state, out } = owner;
  const order = state.orders[command.orderId];
  if (order === undefined) throw new Error(`Order ${command.orderId} was requested and is not there.`);
  if (breaches.length > 0) reportBreaches(owner, command, breaches, true);
  commitOrHalt(owner, approveOrder(order, { limitsChecked, recordedBreaches: breaches, timestamp: out.now }));
  state.approvedAt = [...state.approvedAt.filter((at) => at > out.now - SECOND_MS), out.now];
}

function refuse(owner: Owner, command: PlaceOrder, breaches: Breach[]): void {
  reportBreaches(owner, command, breaches, false);
  commit(owner, [{ type: 'trade.rejected', data: rejection(owner, command, breaches) }]);
}

/** Refuses what cannot even become an order: no portfolio, no price at all, or terms that make no order. */
function refuseUnrequested(owner: Owner, command: PlaceOrder, breaches: Breach[], problem?: Problem): void {
  const all = problem === undefined ? breaches : [...breaches, breachOf(problem)];
  if (sign(command.quantity) > 0) reportBreaches(owner, command, all, false);
  owner.out.emit('trade.rejected', rejection(owner, command, all));
  rememberUnsent(owner.state, command.orderId);
}

function reportBreaches(owner: Owner, order: OrderIntent, breaches: Breach[], recordedOnly: boolean): void {
  owner.out.emit('risk.constraint_violation', {
    portfolio: order.portfolio,
    token: order.token,
    instrument: order.instrument,
    order_id: order.orderId,
    side: order.side,
    quantity: order.quantity,
    breaches,
    recordedOnly,
    timestamp: owner.out.now,
  });
}

function rejection(owner: Owner, order: OrderIntent, breaches: Breach[]) {
  return {
    order_id: order.orderId,
    portfolio: order.portfolio,
    token: order.token,
    instrument: order.instrument,
    reason: breaches[0]?.code ?? 'REFUSED',
    message: breaches
      .map(({ message }) => message)
      .join(' ')
      .slice(0, LONGEST_MESSAGE),
    stage: 'limits' as const,
    breaches,
    timestamp: owner.out.now,
  };
}

function breachOf({ code, message }: Problem): Breach {
  return { code: code.toUpperCase(), message, value: null, bound: null };
}

/**
 * The order that this one repeats: of the same approval, or of the same content within the configured time, unless
 * that one came to nothing.
 */
function duplicateOf({ config, state, out }: Owner, order: OrderIntent): string | null {
  const windowMs = (state.bounds ?? resolveLimits(out.key, config.limits, {})).duplicate_order;
  if (windowMs <= 0 && !hasApproval(state, order.approvalId)) return null;
  let found: string | null = null;
  for (const ids of [state.working, state.ended]) {
    for (const id of ids) {
      const other = state.orders[id];
      if (other === undefined) continue;
      const isSameCause = other.approvalId === order.approvalId && order.origin !== 'force_close';
      const isRecent = windowMs > 0 && out.now - other.requestedAt < windowMs;
      if (!isSameCause && !(isRecent && isSameContent(other, order))) continue;
      if (UNDONE.has(other.status) && sign(other.filled) === 0) continue;
      if (found === null || id < found) found = id;
    }
  }
  return found;
}

function isSameContent(other: OrderState, order: OrderIntent): boolean {
  return (
    other.instrument === order.instrument &&
    other.side === order.side &&
    other.orderType === order.orderType &&
    other.limitPrice === order.limitPrice &&
    other.stopPrice === order.stopPrice &&
    cmp(other.quantity, order.quantity) === 0
  );
}

/** Asks for the cancellation of what has not filled; an order that never left is cancelled at once. */
export function cancelOrder(owner: Owner, command: CancelOrder): void {
  const order = owner.state.orders[command.orderId];
  if (order === undefined) return;
  const decision = requestCancel(order, { reason: command.reason, timestamp: owner.out.now });
  // An order that is over needs no cancelling; whoever asked sees its end in its own events.
  if (isRefused(decision)) return;
  commit(owner, decision.events);
  const isCancelled = decision.events.some(({ type }) => type === 'trade.cancelled');
  if (isCancelled) releaseReservation(owner, { orderId: command.orderId, reason: 'cancelled' });
}

/**
 * Closes what is left of a position, reduce-only and at market: side and quantity follow from the position and the
 * reducing orders in flight. Nothing is emitted when there is nothing left to close.
 */
export function closePosition(owner: Owner, command: ClosePosition): void {
  const { state, out } = owner;
  const orderId = eventId('order', command.sagaId, command.instrument, String(command.attempt));
  const instrument = findInstrument(command.instrument);
  if (state.portfolio === null || instrument === undefined || isDecided(state, orderId)) return;
  const side = sign(signedQuantity(state.portfolio, command.instrument)) > 0 ? 'sell' : 'buy';
  const quantity = roundQuantityDown(instrument, reducibleQuantity(state.portfolio, command.instrument, side));
  if (sign(quantity) <= 0) return;
  const { portfolio, reason, origin, priority } = command;
  const about = { portfolio, token: instrument.token, instrument: instrument.id, side, quantity } as const;
  commit(owner, [{ type: 'trade.close', data: { ...about, reason, timestamp: out.now } }]);
  placeOrder(owner, {
    type: 'PlaceOrder',
    key: out.key,
    orderId,
    ...about,
    orderType: 'MARKET',
    timeInForce: 'IOC',
    reduceOnly: true,
    priority,
    origin,
    approvalId: command.sagaId,
    sizing: { mode: 'close', attempt: command.attempt },
  });
}
