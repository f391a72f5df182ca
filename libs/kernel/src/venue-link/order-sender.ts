import type { AnyEvent } from '@moon/events';
import type { EffectAdapter, EffectContext, TimedInput } from '../ports/effect';
import { VenueRefused, VenueTimeout, VenueUnreachable, type Awaitable } from '../ports/venue';
import {
  availableNow,
  blockedBy,
  orderIdOf,
  orderInput,
  withheld,
  type OrderEffectsOptions,
  type OrderToSend,
  type Submission,
} from './order-inputs';

/** An order with its stored bytes, whose outcome nobody knows yet. */
type Sendable = OrderToSend & { submission: Submission };

/**
 * order.submitted → the venue. Halts are read again right before the send (rule 18). An unknown outcome is queried first,
 * and only the same bytes are ever sent again; "unknown order" is final once venue time has passed their expiry (rule 17).
 * What closes a position of a force close does not wait for a store that is away. It remembers nothing: bytes and outcome are what the order's owner knows.
 */
export function orderSender(options: OrderEffectsOptions): EffectAdapter {
  return {
    name: 'order-sender',
    performs: ['order.submitted', 'order.outcome_unknown'],
    isUrgent(request) {
      const order = options.order(request.key, orderIdOf(request));
      return order !== undefined && order.isForceClose && order.reduceOnly;
    },
    concurrency: 'ordered',
    requestKey: orderIdOf,
    settledBy: ['order.withheld', 'trade.expired', 'venue.report'],
    settles(event) {
      if (event.type === 'venue.report')
        return event.data.kind === 'cancel_rejected' ? null : (event.data.order_id ?? null);
      return orderIdOf(event);
    },
    perform: (request, context) => perform(request, context, options),
  };
}

/** Answers at once when the venue does: a venue inside the process is not worth a promise. */
function perform(
  request: AnyEvent,
  context: EffectContext,
  options: OrderEffectsOptions,
): Awaitable<TimedInput[] | null> {
  const order = options.order(request.key, orderIdOf(request));
  const mayBeThere = context.recovering || request.type === 'order.outcome_unknown';
  if (!order || !isOpen(order)) {
    // Ended before its bytes were sent for the first time; later on, an order that has moved on has its outcome.
    if (mayBeThere || order?.status === 'accepted' || order?.status === 'partially_filled') return null;
    return [withheld(request, { reason: 'ENDED', detail: 'The order had ended before it was sent.' }, context.now)];
  }
  try {
    const sent = mayBeThere ? askThenSend(request, order, context, options) : send(request, order, context, options);
    return sent instanceof Promise ? sent.catch((error) => afterError(error, request, context, options)) : sent;
  } catch (error) {
    return afterError(error, request, context, options);
  }
}

async function askThenSend(
  request: AnyEvent,
  order: Sendable,
  context: EffectContext,
  options: OrderEffectsOptions,
): Promise<TimedInput[]> {
  return (await ask(request, order, context, options)) ?? (await send(request, order, context, options));
}

function isOpen(order: OrderToSend): order is Sendable {
  return order.submission !== null && (order.status === 'submitted' || order.status === 'unknown');
}

/** What the venue knows of an order whose outcome is unknown; null when it knows nothing and the bytes may be sent again. */
async function ask(
  request: AnyEvent,
  order: Sendable,
  { now }: EffectContext,
  { link }: OrderEffectsOptions,
): Promise<TimedInput[] | null> {
  const { clientOrderId, expiresAt } = order.submission;
  const known = await link.venue.query(request.key, clientOrderId);
  if (known.known) return availableNow(await link.catchUp(request.key), now);
  if (known.venueTime > expiresAt) {
    return [
      withheld(
        request,
        { reason: 'EXPIRED', detail: 'The signed bytes expired before the venue knew of the order.' },
        now,
      ),
    ];
  }
  const blocked = blockedBy(order);
  return blocked
    ? [unknown(request, `${blocked.detail} It is asked for again when its bytes have expired.`, expiresAt + 1)]
    : null;
}

function send(
  request: AnyEvent,
  order: Sendable,
  { now }: EffectContext,
  { link }: OrderEffectsOptions,
): Awaitable<TimedInput[]> {
  const blocked = blockedBy(order);
  if (blocked) return [withheld(request, blocked, now)];
  const { clientOrderId, nonce, expiresAt, payload, signature } = order.submission;
  const portfolio = request.key;
  const signed = { portfolio, orderId: orderIdOf(request), clientOrderId, nonce, expiresAt, payload, signature };
  const inputs = link.take(link.venue.submit(signed));
  return inputs instanceof Promise ? inputs.then((events) => availableNow(events, now)) : availableNow(inputs, now);
}

async function afterError(
  error: unknown,
  request: AnyEvent,
  { now }: EffectContext,
  { link, retryMs }: OrderEffectsOptions,
): Promise<TimedInput[]> {
  if (error instanceof VenueRefused) {
    // A used nonce on a resend: the first send arrived.
    if (error.code === 'nonce_used') return availableNow(await link.catchUp(request.key), now);
    return [withheld(request, { reason: error.code, detail: error.message }, now)];
  }
  if (error instanceof VenueTimeout || error instanceof VenueUnreachable)
    return [unknown(request, error.message, now + retryMs)];
  throw error;
}

/** The venue was silent. Each silence is caused by the one before, so that each has an id of its own. */
function unknown(request: AnyEvent, detail: string, availableAt: number): TimedInput {
  const { order_id, portfolio, attempt, timestamp } = (
    request as Extract<AnyEvent, { type: 'order.submitted' | 'order.outcome_unknown' }>
  ).data;
  const data = { order_id, portfolio, attempt, detail: detail.slice(0, 1_000), timestamp };
  return {
    event: orderInput(request, 'order.outcome_unknown', { source: 'sender/silence', ordinal: 0 }, data),
    availableAt,
  };
}
