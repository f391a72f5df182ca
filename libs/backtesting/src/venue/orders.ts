import { toNumber } from '@moon/domain';
import { VenueRefused } from '@moon/kernel';
import type { OrderPayload, SignedCancel, SignedOrder } from '@moon/kernel';
import { examine } from './admission';
import { schedule } from './agenda';
import { indexOrder, openDesk, type Desk, type VenueContext } from './context';
import { judge } from './liquidation';
import { meetOnArrival, wouldCross } from './matching';
import { takeNonce } from './nonces';
import { finish } from './order-life';
import { readCancel, readOrder } from './payload';
import { takerPrice } from './prices';
import { reportAccount, reportOrder, requireAccount } from './reports';
import type { OrderState } from './state';

/**
 * The gate: signature, shape, expiry and nonce are checked on receipt, before anything changes.
 *
 * @returns the order on its way, and when it arrives
 * @throws VenueRefused
 */
export function receiveOrder(
  context: VenueContext,
  order: SignedOrder,
): { arrival: number; sentAt: number; state: OrderState } {
  const account = requireAccount(context, order.portfolio);
  const payload = readOrder(order, account.signingKey);
  requireFresh(context, order, payload.sentAt);
  takeNonce(account.nonces, order.nonce);
  const arrival = Math.max(payload.sentAt, context.state.time) + context.models.latency.toVenueMs(order.clientOrderId);
  return { arrival, sentAt: payload.sentAt, state: orderState(context, order, payload) };
}

/** The same for a cancellation. @throws VenueRefused */
export function receiveCancel(context: VenueContext, request: SignedCancel): { arrival: number; sentAt: number } {
  const account = requireAccount(context, request.portfolio);
  const { sentAt } = readCancel(request, account.signingKey);
  requireFresh(context, request, sentAt);
  takeNonce(account.nonces, request.nonce);
  return {
    arrival: Math.max(sentAt, context.state.time) + context.models.latency.toVenueMs(request.clientOrderId),
    sentAt,
  };
}

/** Puts a received order on its way. */
export function dispatchOrder(context: VenueContext, order: OrderState, arrival: number): void {
  indexOrder(context, order);
  if (arrival <= context.state.time) arrive(context, order);
  else schedule(context.state, { at: arrival, kind: 'order', order });
}

/** An order reaches the venue: it is examined, accepted and held against the market. */
export function arrive(context: VenueContext, order: OrderState): void {
  const account = requireAccount(context, order.portfolio);
  const { time } = context.state;
  if (time > order.expiresAt) return finish(context, account, order, { status: 'expired', code: 'expired' });
  const desk = openDesk(context, order.instrument);
  if (!desk) {
    const message = `${order.instrument} is not traded here.`;
    return finish(context, account, order, { status: 'rejected', code: 'unknown_instrument', message });
  }
  const forced = order.code === null ? null : { code: order.code, message: 'Rejected on request.' };
  const refusal = forced ?? examine(context, account, order, desk) ?? examinePostOnly(context, desk, order);
  if (refusal) return finish(context, account, order, { status: 'rejected', ...refusal });
  account.orderCount += 1;
  order.venueOrderId = `${account.portfolio}-${account.orderCount}`;
  order.status = 'open';
  order.activeFrom = time;
  desk.resting.push(order);
  reportOrder(context, account, order, { kind: 'accepted', side: order.side, quantity: order.quantity });
  meetOnArrival(context, desk, order);
  if (account.accountModel === 'margin' && order.fills > 0) judge(context, account);
}

/** HyperLiquid's BadAloPx. */
function examinePostOnly(
  context: VenueContext,
  desk: Desk,
  order: OrderState,
): { code: string; message: string } | null {
  if (order.timeInForce !== 'ALO' || !wouldCross(context, desk, order)) return null;
  const [bid, ask] = [takerPrice(context, desk, 'sell'), takerPrice(context, desk, 'buy')];
  const message = `Post only order would have immediately matched, bbo was ${bid}@${ask}.`;
  return { code: 'post_only', message };
}

/** A cancellation reaches the venue: every open order of that client order id ends. */
export function arriveCancel(
  context: VenueContext,
  request: { portfolio: string; clientOrderId: string; orderId: string | null },
): void {
  const account = requireAccount(context, request.portfolio);
  const known = context.orders.get(request.portfolio)?.get(request.clientOrderId) ?? [];
  const open = known.filter((order) => order.status === 'open');
  for (const order of open) finish(context, account, order, { status: 'cancelled', code: 'cancelled' });
  if (open.length > 0) return;
  const facts = {
    kind: 'cancel_rejected',
    code: 'unknown_order',
    message: 'Order was never placed, already canceled, or filled.',
  } as const;
  const order = known.at(-1);
  if (order && order.status !== 'pending') reportOrder(context, account, order, facts);
  else
    reportAccount(context, account, { ...facts, ...(request.orderId === null ? {} : { order_id: request.orderId }) });
}

function requireFresh(context: VenueContext, request: SignedOrder | SignedCancel, sentAt: number): void {
  const now = Math.max(context.state.time, sentAt);
  if (now <= request.expiresAt) return;
  throw new VenueRefused(
    'expired',
    `Action already expired: ${request.clientOrderId} was good until ${request.expiresAt}, it is ${now}.`,
  );
}

function orderState(context: VenueContext, order: SignedOrder, payload: OrderPayload): OrderState {
  context.state.made += 1;
  return {
    n: context.state.made,
    portfolio: order.portfolio,
    orderId: order.orderId,
    clientOrderId: order.clientOrderId,
    venueOrderId: null,
    instrument: payload.instrument,
    side: payload.side,
    orderType: payload.orderType,
    timeInForce: payload.timeInForce,
    reduceOnly: payload.reduceOnly,
    quantity: payload.quantity,
    filled: '0',
    filledNotional: '0',
    fees: '0',
    limitPrice: payload.limitPrice ?? null,
    stopPrice: payload.stopPrice ?? null,
    limit: payload.limitPrice === undefined ? 0 : toNumber(payload.limitPrice),
    stop: payload.stopPrice === undefined ? 0 : toNumber(payload.stopPrice),
    status: 'pending',
    code: null,
    expiresAt: order.expiresAt,
    activeFrom: 0,
    hasMet: false,
    isTriggered: false,
    queue: null,
    fills: 0,
  };
}
