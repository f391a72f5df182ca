import type { EventData } from '@moon/events';
import { sub, type Decimal } from '../money';
import type { OrderStatus } from './transitions';

type Requested = EventData<'order.requested'>;

/** One order from its request to its end; rebuilt from the stream `order-<orderId>`. Plain JSON, never edited in place. */
export interface OrderState {
  readonly orderId: string;
  readonly portfolio: string;
  readonly token: string;
  readonly instrument: string;
  readonly side: Requested['side'];
  /** In units of the instrument, as ordered. */
  readonly quantity: Decimal;
  readonly orderType: Requested['order_type'];
  readonly limitPrice?: Decimal;
  readonly stopPrice?: Decimal;
  readonly timeInForce: Requested['timeInForce'];
  readonly reduceOnly: boolean;
  readonly priority: Requested['priority'];
  readonly origin: Requested['origin'];
  readonly approvalId: string;
  /** The price that sized the order. */
  readonly referencePrice: number;
  /** What the request reserved, in settlement asset; the portfolio keeps what is left of it. */
  readonly reservedNotional: Decimal;
  readonly status: OrderStatus;
  readonly filled: Decimal;
  /** Σ price × quantity of the fills, exact: the average does not depend on their order. */
  readonly filledNotional: Decimal;
  /** Volume-weighted, 12 places; '0' before the first fill. */
  readonly averagePrice: Decimal;
  /** Σ fees of the fills, in `feeAsset`; negative = rebates. */
  readonly fees: Decimal;
  readonly feeAsset?: string;
  readonly fillIds: readonly string[];
  /** Number of the last submission; 0 before the first. */
  readonly attempt: number;
  readonly clientOrderId?: string;
  readonly nonce?: number;
  /** The submitted bytes are worthless after this venue time, epoch ms. */
  readonly expiresAt?: number;
  /** The signed text of the last attempt, exactly; a resend is these bytes (rule 17). */
  readonly payload?: string;
  readonly signature?: string;
  readonly venueOrderId?: string;
  readonly cancelRequested: boolean;
  /** Why it was rejected or cancelled. */
  readonly reason?: string;
  readonly requestedAt: number;
  readonly updatedAt: number;
}

/**
 * A copy to be edited. Written out field by field: a spread of so many fields, some of which may be missing, costs ten
 * times as much, and an order is copied for each of its events.
 *
 * @param withBytes false leaves out the signed bytes, which nobody sends again once the order is over
 */
export function copyOf(order: OrderState, withBytes = true): { -readonly [F in keyof OrderState]: OrderState[F] } {
  const copy: { -readonly [F in keyof OrderState]: OrderState[F] } = {
    orderId: order.orderId,
    portfolio: order.portfolio,
    token: order.token,
    instrument: order.instrument,
    side: order.side,
    quantity: order.quantity,
    orderType: order.orderType,
    timeInForce: order.timeInForce,
    reduceOnly: order.reduceOnly,
    priority: order.priority,
    origin: order.origin,
    approvalId: order.approvalId,
    referencePrice: order.referencePrice,
    reservedNotional: order.reservedNotional,
    status: order.status,
    filled: order.filled,
    filledNotional: order.filledNotional,
    averagePrice: order.averagePrice,
    fees: order.fees,
    fillIds: order.fillIds,
    attempt: order.attempt,
    cancelRequested: order.cancelRequested,
    requestedAt: order.requestedAt,
    updatedAt: order.updatedAt,
  };
  if (order.limitPrice !== undefined) copy.limitPrice = order.limitPrice;
  if (order.stopPrice !== undefined) copy.stopPrice = order.stopPrice;
  if (order.feeAsset !== undefined) copy.feeAsset = order.feeAsset;
  if (order.clientOrderId !== undefined) copy.clientOrderId = order.clientOrderId;
  if (order.nonce !== undefined) copy.nonce = order.nonce;
  if (order.expiresAt !== undefined) copy.expiresAt = order.expiresAt;
  if (withBytes && order.payload !== undefined) copy.payload = order.payload;
  if (withBytes && order.signature !== undefined) copy.signature = order.signature;
  if (order.venueOrderId !== undefined) copy.venueOrderId = order.venueOrderId;
  if (order.reason !== undefined) copy.reason = order.reason;
  return copy;
}

/** What may still fill. */
export function remainingQuantity(order: OrderState): Decimal {
  return sub(order.quantity, order.filled);
}

/**
 * What the state hash sees of an order (rule 6): its terms and what became of it. Left out is what a crash and its
 * recovery may change without the outcome being another: attempts, nonces, signed bytes, venue ids, event ids, and
 * `unknown`, which is `submitted` with an answer missing. Fills count as a set.
 */
export function orderHashView(order: OrderState): Record<string, unknown> {
  return {
    orderId: order.orderId,
    portfolio: order.portfolio,
    token: order.token,
    instrument: order.instrument,
    side: order.side,
    quantity: order.quantity,
    orderType: order.orderType,
    limitPrice: order.limitPrice ?? null,
    stopPrice: order.stopPrice ?? null,
    timeInForce: order.timeInForce,
    reduceOnly: order.reduceOnly,
    priority: order.priority,
    origin: order.origin,
    status: order.status === 'unknown' ? 'submitted' : order.status,
    filled: order.filled,
    filledNotional: order.filledNotional,
    fees: order.fees,
    feeAsset: order.feeAsset ?? null,
    fillIds: [...order.fillIds].sort(),
    cancelRequested: order.cancelRequested,
    reservedNotional: order.reservedNotional,
    referencePrice: order.referencePrice,
    requestedAt: order.requestedAt,
  };
}
