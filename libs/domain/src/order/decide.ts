import type { EmitData } from '@moon/events';
import type { PlaceOrder } from '../handler';
import { canonical, sign, type Decimal } from '../money';
import { refuse, type Decision } from './decision';
import type { OrderState } from './state';
import { isTerminal, TRANSITIONS } from './transitions';

/** What is asked for: a PlaceOrder command. */
export type OrderRequest = Omit<PlaceOrder, 'type' | 'key'>;

/** What its owner found out: the price that sized it and what it reserves. */
export interface OrderReckoning {
  referencePrice: number;
  /** In settlement asset. */
  notional: Decimal;
  timestamp: number;
}

/** Opens an order's stream. Also for an order that the limits will refuse, so that the refusal has a history. */
export function requestOrder(
  state: OrderState | undefined,
  request: OrderRequest,
  { referencePrice, notional, timestamp }: OrderReckoning,
): Decision<'order.requested'> {
  if (state !== undefined) return refuse('duplicate_order', `Order ${request.orderId} exists already.`);
  if (sign(request.quantity) <= 0) {
    return refuse('invalid_quantity', `An order needs a quantity above zero, not ${request.quantity}.`);
  }
  if (request.orderType === 'LIMIT' && request.limitPrice === undefined) {
    return refuse('price_missing', 'A LIMIT order needs a limitPrice.');
  }
  const isWaiting = request.orderType === 'STOP' || request.orderType === 'TAKE_PROFIT';
  if (isWaiting && request.stopPrice === undefined) {
    return refuse('price_missing', `A ${request.orderType} order needs a stopPrice.`);
  }
  if (request.timeInForce === 'ALO' && request.orderType !== 'LIMIT') {
    return refuse('time_in_force', `ALO (post-only) is for LIMIT orders; this one is ${request.orderType}.`);
  }
  const data: EmitData<'order.requested'> = {
    order_id: request.orderId,
    portfolio: request.portfolio,
    token: request.token,
    instrument: request.instrument,
    side: request.side,
    quantity: canonical(request.quantity),
    order_type: request.orderType,
    ...(request.limitPrice !== undefined && { limitPrice: canonical(request.limitPrice) }),
    ...(request.stopPrice !== undefined && { stopPrice: canonical(request.stopPrice) }),
    timeInForce: request.timeInForce,
    reduceOnly: request.reduceOnly,
    priority: request.priority,
    origin: request.origin,
    approvalId: request.approvalId,
    referencePrice,
    reservation: { notional: canonical(notional) },
    sizing: request.sizing,
    timestamp,
  };
  return { events: [{ type: 'order.requested', data }] };
}

/** The limits let the order pass. */
export function approveOrder(
  state: OrderState,
  verdict: Pick<EmitData<'order.approved'>, 'limitsChecked' | 'recordedBreaches' | 'timestamp'>,
): Decision<'order.approved'> {
  if (state.status !== 'requested') return refuseIn(state, 'order.approved');
  const { limitsChecked, recordedBreaches, timestamp } = verdict;
  const data = { order_id: state.orderId, portfolio: state.portfolio, limitsChecked, recordedBreaches, timestamp };
  return { events: [{ type: 'order.approved', data }] };
}

/**
 * Ends an order that certainly never reached the venue: refused by the limits, not routable, or withheld by the sender
 * after its bytes were stored. One whose outcome is unknown may have reached it and cannot be rejected here.
 */
export function rejectOrder(
  state: OrderState,
  refusal: Pick<EmitData<'trade.rejected'>, 'reason' | 'message' | 'stage' | 'breaches' | 'timestamp'>,
): Decision<'trade.rejected'> {
  const unsent = state.status === 'requested' || state.status === 'approved' || state.status === 'submitted';
  if (!unsent) return refuseIn(state, 'trade.rejected');
  const data: EmitData<'trade.rejected'> = {
    order_id: state.orderId,
    portfolio: state.portfolio,
    token: state.token,
    instrument: state.instrument,
    reason: refusal.reason,
    message: refusal.message,
    stage: refusal.stage,
    ...(refusal.breaches !== undefined && { breaches: refusal.breaches }),
    timestamp: refusal.timestamp,
  };
  return { events: [{ type: 'trade.rejected', data }] };
}

/** The exact signed bytes of one attempt; `venueTime` (epoch ms) is what the venue last said its time was. */
export interface Submission extends Pick<
  EmitData<'order.submitted'>,
  'clientOrderId' | 'nonce' | 'expiresAt' | 'payload' | 'signature' | 'timestamp'
> {
  venueTime?: number;
}

/**
 * Numbers the next attempt. A second one may only follow when the venue's time has passed the expiry of the bytes sent
 * before (rule 17); until then those bytes can still become an order, and a new attempt would double it.
 */
export function submitOrder(state: OrderState, submission: Submission): Decision<'order.submitted'> {
  if (TRANSITIONS[state.status]['order.submitted'] !== 'submitted') return refuseIn(state, 'order.submitted');
  const { venueTime, ...signed } = submission;
  if (state.expiresAt !== undefined && !(venueTime !== undefined && venueTime > state.expiresAt)) {
    return refuse(
      'attempt_not_expired',
      `Attempt ${state.attempt} of order ${state.orderId} can still reach the venue; resend its bytes or wait for its expiry.`,
      { expiresAt: state.expiresAt, venueTime: venueTime ?? null },
    );
  }
  const data = { order_id: state.orderId, portfolio: state.portfolio, attempt: state.attempt + 1, ...signed };
  return { events: [{ type: 'order.submitted', data }] };
}

/** The venue gave no answer to the last attempt. The reservation stays (rule 16). */
export function markOutcomeUnknown(
  state: OrderState,
  report: Pick<EmitData<'order.outcome_unknown'>, 'detail' | 'timestamp'>,
): Decision<'order.outcome_unknown'> {
  if (TRANSITIONS[state.status]['order.outcome_unknown'] !== 'unknown') {
    // An answer overtook the timeout: the outcome is known after all.
    if (state.attempt > 0) return { events: [] };
    return refuseIn(state, 'order.outcome_unknown');
  }
  const { detail, timestamp } = report;
  const data = { order_id: state.orderId, portfolio: state.portfolio, attempt: state.attempt, detail, timestamp };
  return { events: [{ type: 'order.outcome_unknown', data }] };
}

/**
 * Asks for the cancellation of what has not filled. An order that was never sent is cancelled at once; of any other
 * the venue decides, and the request may be repeated.
 */
export function requestCancel(
  state: OrderState,
  request: Pick<EmitData<'order.cancel_requested'>, 'reason' | 'timestamp'>,
): Decision<'order.cancel_requested' | 'trade.cancelled'> {
  if (isTerminal(state.status)) {
    return refuse('order_terminal', `Order ${state.orderId} is ${state.status}; there is nothing to cancel.`);
  }
  const { reason, timestamp } = request;
  const { orderId: order_id, portfolio, token } = state;
  const asked = { type: 'order.cancel_requested', data: { order_id, portfolio, reason, timestamp } } as const;
  if (state.status !== 'requested' && state.status !== 'approved') return { events: [asked] };
  const data = { order_id, portfolio, token, filledQuantity: state.filled, reason, timestamp };
  return { events: [asked, { type: 'trade.cancelled', data }] };
}

/**
 * Ends an order that the venue does not know, once its time has passed the expiry of the last attempt: those bytes can
 * never become an order any more.
 */
export function expireOrder(
  state: OrderState,
  answer: { venueTime: number; timestamp: number },
): Decision<'trade.expired'> {
  if (state.status !== 'submitted' && state.status !== 'unknown') return refuseIn(state, 'trade.expired');
  if (state.expiresAt === undefined || answer.venueTime <= state.expiresAt) {
    return refuse(
      'attempt_not_expired',
      `Attempt ${state.attempt} of order ${state.orderId} can still reach the venue.`,
      {
        expiresAt: state.expiresAt ?? null,
        venueTime: answer.venueTime,
      },
    );
  }
  const { orderId: order_id, portfolio, token, filled: filledQuantity } = state;
  return {
    events: [
      { type: 'trade.expired', data: { order_id, portfolio, token, filledQuantity, timestamp: answer.timestamp } },
    ],
  };
}

function refuseIn(state: OrderState, type: string): ReturnType<typeof refuse> {
  return refuse('illegal_transition', `Order ${state.orderId} is ${state.status} and cannot take ${type}.`, {
    status: state.status,
  });
}
