import { add, cmp, div, mul } from '../money';
import type { Emission } from './decision';
import type { OrderState } from './state';
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
      return `${event.type}:${event.data.status}`;
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
  switch (event.type) {
    case 'order.approved':
    case 'order.outcome_unknown':
    case 'trade.expired':
      return { ...state, status, updatedAt: event.data.timestamp };
    case 'order.cancel_requested':
      return { ...state, status, cancelRequested: true, updatedAt: event.data.timestamp };
    case 'trade.placed':
      return { ...state, status, venueOrderId: event.data.venueOrderId, updatedAt: event.data.timestamp };
    case 'trade.rejected':
    case 'trade.cancelled':
      return { ...state, status, reason: event.data.reason, updatedAt: event.data.timestamp };
    case 'order.submitted':
      return submitted(state, status, event);
    case 'trade.executed':
      return executed(state, status, event);
    default:
      throw illegal(state, event);
  }
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

function submitted(state: OrderState, status: OrderStatus, event: Emission<'order.submitted'>): OrderState {
  const { attempt, clientOrderId, nonce, expiresAt, payload, signature, timestamp } = event.data;
  if (attempt !== state.attempt + 1) throw illegal(state, event);
  return { ...state, status, attempt, clientOrderId, nonce, expiresAt, payload, signature, updatedAt: timestamp };
}

function executed(state: OrderState, status: OrderStatus, event: Emission<'trade.executed'>): OrderState {
  const { fillId, price, quantity, fee, feeAsset, timestamp } = event.data;
  const filled = add(state.filled, quantity);
  const toQuantity = cmp(filled, state.quantity);
  const complete = event.data.status === 'FILLED';
  if (toQuantity > 0 || complete !== (toQuantity === 0) || state.fillIds.includes(fillId)) throw illegal(state, event);
  const filledNotional = add(state.filledNotional, mul(price, quantity));
  return {
    ...state,
    status,
    filled,
    filledNotional,
    averagePrice: div(filledNotional, filled, AVERAGE_PRICE_PLACES),
    fees: add(state.fees, fee),
    feeAsset,
    fillIds: [...state.fillIds, fillId],
    updatedAt: timestamp,
  };
}

function illegal(state: OrderState | undefined, event: Emission): IllegalOrderTransition {
  const detail = event.type === 'trade.executed' ? `fill ${event.data.fillId} of ${event.data.quantity}` : event.type;
  const orderId = state?.orderId ?? ('order_id' in event.data ? String(event.data.order_id) : '(none)');
  return new IllegalOrderTransition(orderId, state?.status ?? 'none', detail);
}
