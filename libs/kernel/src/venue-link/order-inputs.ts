import { derivedId, withEventType, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import type { OrderStatus } from '@moon/domain';
import type { TimedInput } from '../ports/effect';
import type { OrderPayload } from '../ports/venue';
import type { VenueLink } from './venue-link';

/** What the adapters read of an order, from its owner's fold. */
export interface OrderToSend {
  instrument: string;
  side: 'buy' | 'sell';
  quantity: string;
  orderType: OrderPayload['orderType'];
  limitPrice?: string;
  stopPrice?: string;
  timeInForce: OrderPayload['timeInForce'];
  reduceOnly: boolean;
  /** It closes a position of a force close. */
  isForceClose: boolean;
  attempt: number;
  status: OrderStatus;
  /** The signed bytes of the present attempt, once they are stored. */
  submission: Submission | null;
  isTerminal: boolean;
  /** The halts that stand now, for the portfolio and globally, in words. */
  halts: readonly string[];
}

export interface OrderEffectsOptions {
  link: VenueLink;
  /** The owner's present fold of an order; undefined when it knows none. */
  order: (portfolio: string, orderId: string) => OrderToSend | undefined;
  sign: (portfolio: string, payload: string) => string;
  /** A nonce that this account never used, also not before a restart (wall-clock milliseconds, strictly rising). */
  nextNonce: () => number;
  /** Life of the signed bytes, run-time ms. */
  timeToLiveMs: number;
  /** Pause before a venue that did not answer is asked again, run-time ms; 0 in lock-step. */
  retryMs: number;
  headers: AnyEvent['headers'];
}

/** The signed bytes of one attempt, as they are stored. */
export interface Submission {
  clientOrderId: string;
  nonce: number;
  expiresAt: number;
  payload: string;
  signature: string;
}

/** Which of an adapter's outputs an input is: part of its derived id. */
interface Origin {
  source: string;
  ordinal: number;
}

/** An input event that follows from a request; it takes the request's time (rule 2). */
export function orderInput<T extends EventType>(
  cause: AnyEvent,
  type: T,
  { source, ordinal }: Origin,
  data: EmitData<T>,
): AnyEvent {
  return {
    id: derivedId(cause.id, source, ordinal),
    type,
    schemaVersion: 1,
    source,
    key: cause.key,
    occurredAt: cause.occurredAt,
    correlationId: cause.correlationId,
    causationId: cause.id,
    data: withEventType(type, data),
    headers: modeOf(cause),
  } as unknown as AnyEvent;
}

/** The mode of the run and nothing else of the cause's headers. */
function modeOf({ headers }: AnyEvent): AnyEvent['headers'] {
  if (headers?.mode === undefined) return undefined;
  return headers.warmup === undefined ? headers : { mode: headers.mode };
}

/** Tells the owner that an order was certainly never sent and never will be. */
export function withheld(request: AnyEvent, why: { reason: string; detail: string }, availableAt: number): TimedInput {
  const detail = why.detail.slice(0, 1_000);
  const data = {
    order_id: orderIdOf(request),
    portfolio: request.key,
    reason: why.reason,
    detail,
    timestamp: request.occurredAt,
  };
  return { event: orderInput(request, 'order.withheld', { source: 'sender/withheld', ordinal: 0 }, data), availableAt };
}

/** Why a halt keeps an order from leaving: only what reduces passes (rule 18). Null when nothing does. */
export function blockedBy(order: OrderToSend): { reason: string; detail: string } | null {
  if (order.halts.length === 0 || order.reduceOnly) return null;
  return { reason: 'HALTED', detail: `Not sent, because trading is halted by ${order.halts.join(', ')}.` };
}

export function availableNow(events: readonly AnyEvent[], now: number): TimedInput[] {
  return events.map((event) => ({ event, availableAt: now }));
}

export function orderIdOf(event: AnyEvent): string {
  const id = (event.data as { order_id?: string }).order_id;
  if (id === undefined) throw new Error(`Event ${event.type} ${event.id} names no order.`);
  return id;
}
