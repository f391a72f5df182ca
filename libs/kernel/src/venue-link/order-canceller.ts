import { FORCE_CLOSE } from '@moon/domain';
import { canonicalJson } from '../core/canonical-json';
import type { EffectAdapter } from '../ports/effect';
import { VenueRefused, VenueTimeout, VenueUnreachable, type CancelPayload } from '../ports/venue';
import { availableNow, orderIdOf, type OrderEffectsOptions } from './order-inputs';

const ENDS: ReadonlySet<string> = new Set(['cancelled', 'cancel_rejected', 'rejected', 'expired']);

/** order.cancel_requested → the venue. A cancellation may be repeated: whoever waits for it asks again. */
export function orderCanceller(options: OrderEffectsOptions): EffectAdapter {
  const { link } = options;
  return {
    name: 'order-canceller',
    performs: ['order.cancel_requested'],
    isUrgent: (request) => request.type === 'order.cancel_requested' && request.data.reason === FORCE_CLOSE,
    concurrency: 'ordered',
    requestKey: orderIdOf,
    settledBy: ['order.withheld', 'trade.cancelled', 'trade.rejected', 'trade.expired', 'venue.report'],
    settles(event) {
      if (event.type !== 'venue.report') return orderIdOf(event);
      return ENDS.has(event.data.kind) ? (event.data.order_id ?? null) : null;
    },
    async perform(request, { now }) {
      const orderId = orderIdOf(request);
      const order = options.order(request.key, orderId);
      if (!order || order.isTerminal || !order.submission) return null;
      const { clientOrderId } = order.submission;
      const nonce = options.nextNonce();
      const sentAt = Math.max(request.occurredAt, now);
      const expiresAt = sentAt + options.timeToLiveMs;
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
      const portfolio = request.key;
      try {
        const reports = await link.venue.cancel({
          portfolio,
          orderId,
          clientOrderId,
          nonce,
          expiresAt,
          payload: text,
          signature,
        });
        return availableNow(await link.take(reports), now);
      } catch (error) {
        if (!(error instanceof VenueTimeout || error instanceof VenueUnreachable || error instanceof VenueRefused))
          throw error;
        return availableNow(await link.catchUp(portfolio), now);
      }
    },
  };
}
