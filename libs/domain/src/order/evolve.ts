import { add, cmp, div, mul } from '../money';
import type { Emission } from './decision';
import { copyOf, type OrderState } from './state';
import { IllegalOrderTransition, TRANSITIONS, type OrderInput, type OrderStatus } from './transitions';

const AVERAGE_PRICE_PLACES = 12;

/** What the transition table calls an event; undefined for events that do not move an order. */
function inputOf(event: Emission): OrderInput | undefined {
  switch (event.type) {
    case 'order.requested':
    case 'order.approved':
    case 'order.submitted':
    case 'order.outcome_unknown':
    case 'order.cancel_requested':
    case 'trade.placed':
    case 'trade.rejected':
    case 'trade.cancelled':
    case 'trade.expired':
      return event.type;
    case 'trade.executed':
      return event.data.status === 'FILLED' ? 'trade.executed:FILLED' : 'trade.executed:PARTIALLY_FILLED';
    default:
      return undefined;
  }
}

/**
 * The order after one more event of its stream. Events that do not move orders leave it as it is; one that the
 * transition table forbids, a fill booked twice or one beyond the quantity throws IllegalOrderTransition.
 */
export function evolveOrder(state: OrderState | undefined, event: Emission): OrderState {
  const input = inputOf(event);
  if (input === undefined && state !== undefined) return state;
  const from = state === undefined ? 'none' : state.status;
  const to = input === undefined ? undefined : TRANSITIONS[from][input];
  if (to === undefined) throw illegal(state, event);
  if (event.type === 'order.requested') return requested(event.data);
  if (state === undefined) throw illegal(state, event);
  if (isLateNews(from, event.type)) return state;
  return advance(state, to, event);
}

/** The sender's news of an order that has moved on, or is over: it changes nothing. */
function isLateNews(status: OrderStatus | 'none', type: Emission['type']): boolean {
  if (type !== 'order.submitted' && type !== 'order.outcome_unknown') return false;
  return status !== 'approved' && status !== 'submitted' && status !== 'unknown';
}

function advance(state: OrderState, status: OrderStatus, event: Emission): OrderState {
  if (event.type === 'trade.executed') return executed(state, status, event);
  const next = copyOf(state);
  next.status = status;
  switch (event.type) {
    case 'order.approved':
    case 'order.outcome_unknown':
    case 'trade.expired':
      break;
    case 'order.cancel_requested':
      next.cancelRequested = true;
      break;
    case 'trade.placed':
      next.venueOrderId = event.data.venueOrderId;
      break;
    case 'trade.rejected':
    case 'trade.cancelled':
      next.reason = event.data.reason;
      break;
    case 'order.submitted': {
      const { attempt, clientOrderId, nonce, expiresAt, payload, signature } = event.data;
      if (attempt !== state.attempt + 1) throw illegal(state, event);
      next.attempt = attempt;
      next.clientOrderId = clientOrderId;
      next.nonce = nonce;
      next.expiresAt = expiresAt;
      next.payload = payload;
      next.signature = signature;
      break;
    }
    default:
      throw illegal(state, event);
  }
  next.updatedAt = event.data.timestamp;
  return next;
}

function requested(data: Emission<'order.requested'>['data']): OrderState {
  return {
    orderId: data.order_id,
    portfolio: data.portfolio,
    token: data.token,
    instrument: data.instrument,
    side: data.side,
    quantity: data.quantity,
    orderType: data.order_type,
    ...(data.limitPrice !== undefined && { limitPrice: data.limitPrice }),
    ...(data.stopPrice !== undefined && { stopPrice: data.stopPrice }),
    timeInForce: data.timeInForce,
    reduceOnly: data.reduceOnly,
    priority: data.priority,
    origin: data.origin,
    approvalId: data.approvalId,
    referencePrice: data.referencePrice,
    reservedNotional: data.reservation.notional,
    status: 'requested',
    filled: '0',
    filledNotional: '0',
    averagePrice: '0',
    fees: '0',
    fillIds: [],
    attempt: 0,
    cancelRequested: false,
    requestedAt: data.timestamp,
    updatedAt: data.timestamp,
  };
}

function executed(state: OrderState, status: OrderStatus, event: Emission<'trade.executed'>): OrderState {
  const { fillId, price, quantity, fee, feeAsset, timestamp } = event.data;
  const filled = add(state.filled, quantity);
  const toQuantity = cmp(filled, state.quantity);
  const complete = event.data.status === 'FILLED';
  if (toQuantity > 0 || complete !== (toQuantity === 0) || state.fillIds.includes(fillId)) throw illegal(state, event);
  const filledNotional = add(state.filledNotional, mul(price, quantity));
  const next = copyOf(state);
  next.status = status;
  next.filled = filled;
  next.filledNotional = filledNotional;
  next.averagePrice = div(filledNotional, filled, AVERAGE_PRICE_PLACES);
  next.fees = add(state.fees, fee);
  next.feeAsset = feeAsset;
  next.fillIds = [...state.fillIds, fillId];
  next.updatedAt = timestamp;
  return next;
}

function illegal(state: OrderState | undefined, event: Emission): IllegalOrderTransition {
  const detail = event.type === 'trade.executed' ? `fill ${event.data.fillId} of ${event.data.quantity}` : event.type;
  const orderId = state?.orderId ?? ('order_id' in event.data ? String(event.data.order_id) : '(none)');
  return new IllegalOrderTransition(orderId, state?.status ?? 'none', detail);
}
