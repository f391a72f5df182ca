import type { AnyEvent } from '@moon/events';
import type { EffectAdapter, EffectContext, TimedInput } from '../ports/effect';
import { VenueRefused, VenueTimeout, VenueUnreachable } from '../ports/venue';
import {
  availableNow,
  blockedBy,
  isOneOf,
  orderIdOf,
  orderInput,
  withheld,
  type OrderEffectsOptions,
  type OrderToSend,
  type Submission,
} from './order-inputs';

/**
 * order.submitted → the venue. Halts are read again right before the send (rule 18). An unknown outcome is queried first,
 * and only the same bytes are ever sent again; "unknown order" is final once venue time has passed their expiry (rule 17).
 */
export class OrderSender implements EffectAdapter {
  readonly name = 'order-sender';
  readonly performs = ['order.submitted', 'order.outcome_unknown'] as const;
  readonly concurrency = 'ordered';
  readonly requestKey = orderIdOf;
  private readonly submissions = new Map<string, Submission>();
  private readonly silences = new Map<string, number>();

  constructor(private readonly options: OrderEffectsOptions) {}

  settles(event: AnyEvent): string | null {
    if (event.type === 'order.submitted') this.submissions.set(event.data.order_id, event);
    if (!isOneOf(event, 'venue.report', 'order.withheld', 'trade.expired')) return null;
    if (event.type === 'venue.report' && (event.data.order_id === undefined || event.data.kind === 'cancel_rejected'))
      return null;
    const id = orderIdOf(event);
    this.submissions.delete(id);
    this.silences.delete(id);
    return id;
  }

  async perform(request: AnyEvent, context: EffectContext): Promise<TimedInput[]> {
    const submission = this.submissions.get(orderIdOf(request));
    const order = this.options.order(request.key, orderIdOf(request));
    if (!submission || !order || order.isTerminal) {
      return [withheld(request, { reason: 'ENDED', detail: 'The order had ended before it was sent.' }, context.now)];
    }
    try {
      const mayBeThere = context.recovering || request.type === 'order.outcome_unknown';
      return (
        (mayBeThere ? await this.ask(request, submission, order, context) : null) ??
        (await this.send(request, submission, order, context))
      );
    } catch (error) {
      return this.afterError(error, request, submission, context);
    }
  }

  /** What the venue knows of an order whose outcome is unknown; null when it knows nothing and the bytes may be sent again. */
  private async ask(
    request: AnyEvent,
    submission: Submission,
    order: OrderToSend,
    { now }: EffectContext,
  ): Promise<TimedInput[] | null> {
    const { clientOrderId, expiresAt } = submission.data;
    const known = await this.options.link.venue.query(request.key, clientOrderId);
    if (known.known) return availableNow(await this.options.link.catchUp(request.key), now);
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
      ? [
          this.unknown(
            submission,
            `${blocked.detail} It is asked for again when its bytes have expired.`,
            expiresAt + 1,
          ),
        ]
      : null;
  }

  private async send(
    request: AnyEvent,
    submission: Submission,
    order: OrderToSend,
    { now }: EffectContext,
  ): Promise<TimedInput[]> {
    const blocked = blockedBy(order);
    if (blocked) return [withheld(request, blocked, now)];
    const { data } = submission;
    const reports = await this.options.link.venue.submit({ ...data, orderId: data.order_id });
    return availableNow(this.options.link.toEvents(reports), now);
  }

  private async afterError(
    error: unknown,
    request: AnyEvent,
    submission: Submission,
    { now }: EffectContext,
  ): Promise<TimedInput[]> {
    if (error instanceof VenueRefused) {
      // A used nonce on a resend: the first send arrived.
      if (error.code === 'nonce_used') return availableNow(await this.options.link.catchUp(request.key), now);
      return [withheld(request, { reason: error.code, detail: error.message }, now)];
    }
    if (error instanceof VenueTimeout || error instanceof VenueUnreachable) {
      return [this.unknown(submission, error.message, now + this.options.retryMs)];
    }
    throw error;
  }

  private unknown(submission: Submission, detail: string, availableAt: number): TimedInput {
    const { order_id, portfolio, attempt } = submission.data;
    const ordinal = (this.silences.get(order_id) ?? 0) + 1;
    this.silences.set(order_id, ordinal);
    const data = { order_id, portfolio, attempt, detail: detail.slice(0, 1_000), timestamp: submission.occurredAt };
    return {
      event: orderInput(submission, 'order.outcome_unknown', { source: 'sender/silence', ordinal }, data),
      availableAt,
    };
  }
}
