import { derivedId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { canonicalJson } from '../core/canonical-json';
import type { EffectAdapter, EffectContext, TimedInput } from '../ports/effect';
import { VenueRefused, VenueTimeout, VenueUnreachable, type CancelPayload, type OrderPayload } from '../ports/venue';
import type { VenueLink } from './venue-link';

/** What the sender reads of an order, from its owner's fold. */
export interface OrderToSend {
  instrument: string;
  side: 'buy' | 'sell';
  quantity: string;
  orderType: 'MARKET' | 'LIMIT' | 'STOP';
  limitPrice?: string;
  stopPrice?: string;
  timeInForce: 'GTC' | 'IOC';
  reduceOnly: boolean;
  attempt: number;
  clientOrderId?: string;
  isTerminal: boolean;
  /** Sources of the halts that stand now, for the portfolio and globally. */
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

/** The adapters that take a portfolio's orders to its venue. */
export function orderEffects(options: OrderEffectsOptions): EffectAdapter[] {
  return [orderPreparer(options), orderSender(options), orderCanceller(options)];
}

/** order.approved → order.submitted: makes the exact bytes, so that they are stored before anything is sent (rule 17). */
function orderPreparer(options: OrderEffectsOptions): EffectAdapter {
  return {
    name: 'order-preparer',
    performs: ['order.approved'],
    concurrency: 'ordered',
    requestKey: (request) => orderId(request),
    settles: (event) =>
      isOne(event, 'order.submitted', 'order.withheld', 'trade.cancelled', 'trade.rejected') ? orderId(event) : null,
    perform(request, { now }) {
      const id = orderId(request);
      const order = options.order(request.key, id);
      if (!order || order.isTerminal) return [];
      if (isBlocked(order)) return [withheld(request, order, options, now)];
      const nonce = options.nextNonce();
      const clientOrderId = `0x${id.replaceAll('-', '')}`;
      const expiresAt = request.occurredAt + options.timeToLiveMs;
      const payload: OrderPayload = {
        account: request.key,
        instrument: order.instrument,
        side: order.side,
        quantity: order.quantity,
        orderType: order.orderType,
        limitPrice: order.limitPrice,
        stopPrice: order.stopPrice,
        timeInForce: order.timeInForce,
        reduceOnly: order.reduceOnly,
        clientOrderId,
        nonce,
        expiresAt,
        sentAt: request.occurredAt,
      };
      const text = canonicalJson(payload);
      const submitted = input(request, 'order.submitted', 'sender/prepare', order.attempt, options, {
        order_id: id,
        portfolio: request.key,
        attempt: order.attempt + 1,
        clientOrderId,
        nonce,
        expiresAt,
        payload: text,
        signature: options.sign(request.key, text),
        timestamp: request.occurredAt,
      });
      return [{ event: submitted, availableAt: now }];
    },
  };
}

/** order.submitted → the venue. An unknown outcome is queried first, and only the same bytes are ever sent again. */
function orderSender(options: OrderEffectsOptions): EffectAdapter {
  const { link } = options;
  const submissions = new Map<string, Extract<AnyEvent, { type: 'order.submitted' }>>();
  const silences = new Map<string, number>();
  return {
    name: 'order-sender',
    performs: ['order.submitted', 'order.outcome_unknown'],
    concurrency: 'ordered',
    requestKey: (request) => orderId(request),
    settles(event) {
      if (event.type === 'order.submitted') submissions.set(event.data.order_id, event);
      const isOutcome =
        event.type === 'venue.report' || event.type === 'order.withheld' || event.type === 'trade.expired';
      const id = isOutcome ? (event.data.order_id ?? null) : null;
      if (id !== null && !(event.type === 'venue.report' && event.data.kind === 'cancel_rejected')) {
        submissions.delete(id);
        silences.delete(id);
        return id;
      }
      return null;
    },
    async perform(request, context) {
      const id = orderId(request);
      const submission = submissions.get(id) ?? (request.type === 'order.submitted' ? request : undefined);
      const order = options.order(request.key, id);
      if (!submission || !order || order.isTerminal) return [];
      try {
        if (context.recovering || request.type === 'order.outcome_unknown') {
          const known = await link.venue.query(request.key, submission.data.clientOrderId);
          if (known.known) return dueNow(await link.catchUp(request.key), context.now);
          if (known.venueTime > submission.data.expiresAt)
            return [withheld(request, order, options, context.now, 'EXPIRED')];
          if (isBlocked(order)) return [unknown(request, submission, silences, options, submission.data.expiresAt + 1)];
        }
        if (isBlocked(order)) return [withheld(request, order, options, context.now)];
        const { data } = submission;
        const reports = await link.venue.submit({ ...data, orderId: id });
        return dueNow(link.toEvents(reports), context.now);
      } catch (error) {
        return afterVenueError(error, request, submission, order, silences, options, context);
      }
    },
  };
}

/** order.cancel_requested → the venue. */
function orderCanceller(options: OrderEffectsOptions): EffectAdapter {
  const { link } = options;
  return {
    name: 'order-canceller',
    performs: ['order.cancel_requested'],
    concurrency: 'ordered',
    requestKey: (request) => orderId(request),
    settles(event) {
      if (isOne(event, 'order.withheld', 'trade.cancelled', 'trade.rejected', 'trade.expired')) return orderId(event);
      const ends =
        event.type === 'venue.report' &&
        ['cancelled', 'cancel_rejected', 'rejected', 'expired'].includes(event.data.kind);
      return ends ? (event.data.order_id ?? null) : null;
    },
    async perform(request, context) {
      const id = orderId(request);
      const order = options.order(request.key, id);
      if (!order || order.isTerminal || order.clientOrderId === undefined) return [];
      const nonce = options.nextNonce();
      const sentAt = Math.max(request.occurredAt, context.now);
      const expiresAt = sentAt + options.timeToLiveMs;
      const { clientOrderId } = order;
      const payload: CancelPayload = {
        account: request.key,
        action: 'cancel',
        clientOrderId,
        nonce,
        expiresAt,
        sentAt,
      };
      const text = canonicalJson(payload);
      const signature = options.sign(request.key, text);
      try {
        const reports = await link.venue.cancel({
          portfolio: request.key,
          orderId: id,
          clientOrderId,
          nonce,
          expiresAt,
          payload: text,
          signature,
        });
        return dueNow(link.toEvents(reports), context.now);
      } catch (error) {
        if (!(error instanceof VenueTimeout || error instanceof VenueUnreachable || error instanceof VenueRefused))
          throw error;
        return dueNow(await link.catchUp(request.key), context.now);
      }
    },
  };
}

async function afterVenueError(
  error: unknown,
  request: AnyEvent,
  submission: Extract<AnyEvent, { type: 'order.submitted' }>,
  order: OrderToSend,
  silences: Map<string, number>,
  options: OrderEffectsOptions,
  context: EffectContext,
): Promise<TimedInput[]> {
  if (error instanceof VenueRefused) {
    if (error.code === 'nonce_used') {
      return dueNow(await options.link.catchUp(request.key), context.now);
    }
    return [withheld(request, order, options, context.now, error.code, error.message)];
  }
  if (error instanceof VenueTimeout || error instanceof VenueUnreachable) {
    return [unknown(request, submission, silences, options, context.now + options.retryMs, error.message)];
  }
  throw error;
}

function unknown(
  request: AnyEvent,
  submission: Extract<AnyEvent, { type: 'order.submitted' }>,
  silences: Map<string, number>,
  options: OrderEffectsOptions,
  availableAt: number,
  detail = 'The order was submitted before a restart and a halt stands now: it is asked for again when its bytes have expired.',
): TimedInput {
  const id = submission.data.order_id;
  const count = (silences.get(id) ?? 0) + 1;
  silences.set(id, count);
  const { portfolio, attempt } = submission.data;
  const data = { order_id: id, portfolio, attempt, detail: detail.slice(0, 1_000), timestamp: submission.occurredAt };
  return { event: input(submission, 'order.outcome_unknown', 'sender/silence', count, options, data), availableAt };
}

function withheld(
  request: AnyEvent,
  order: OrderToSend,
  options: OrderEffectsOptions,
  now: number,
  reason = 'HALTED',
  detail = `Not sent: ${order.halts.join(', ') || 'the signed bytes expired before the venue knew of the order'}.`,
): TimedInput {
  const data = { order_id: orderId(request), portfolio: request.key, reason, detail, timestamp: request.occurredAt };
  return { event: input(request, 'order.withheld', 'sender/withheld', 0, options, data), availableAt: now };
}

function input<T extends EventType>(
  cause: AnyEvent,
  type: T,
  source: string,
  ordinal: number,
  options: OrderEffectsOptions,
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
    data: { event_type: type, ...data },
    headers: options.headers,
  } as unknown as AnyEvent;
}

function dueNow(events: AnyEvent[], now: number): TimedInput[] {
  return events.map((event) => ({ event, availableAt: now }));
}

/** A halt lets only orders through that reduce. */
function isBlocked(order: OrderToSend): boolean {
  return order.halts.length > 0 && !order.reduceOnly;
}

function isOne(event: AnyEvent, ...types: EventType[]): boolean {
  return types.includes(event.type);
}

function orderId(event: AnyEvent): string {
  const id = (event.data as { order_id?: string }).order_id;
  if (id === undefined) throw new Error(`Event ${event.type} ${event.id} names no order.`);
  return id;
}
