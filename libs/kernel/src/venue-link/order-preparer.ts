import { canonicalJson } from '../core/canonical-json';
import type { EffectAdapter } from '../ports/effect';
import type { OrderPayload } from '../ports/venue';
import { blockedBy, orderIdOf, orderInput, withheld, type OrderEffectsOptions } from './order-inputs';

/** order.approved → order.submitted: makes the exact bytes, so that they are stored before anything is sent (rule 17). */
export function orderPreparer(options: OrderEffectsOptions): EffectAdapter {
  return {
    name: 'order-preparer',
    performs: ['order.approved'],
    // It touches nothing outside: what it makes is stored before the sender acts on it.
    isPure: true,
    concurrency: 'ordered',
    requestKey: orderIdOf,
    settledBy: ['order.submitted', 'order.withheld', 'trade.cancelled', 'trade.rejected'],
    settles: orderIdOf,
    perform(request, { now }) {
      const id = orderIdOf(request);
      const order = options.order(request.key, id);
      if (!order || order.isTerminal) return null;
      const blocked = blockedBy(order);
      if (blocked) return [withheld(request, blocked, now)];
      const nonce = options.nextNonce();
      const clientOrderId = `0x${id.replaceAll('-', '')}`;
      const expiresAt = request.occurredAt + options.timeToLiveMs;
      const { instrument, side, quantity, orderType, limitPrice, stopPrice, timeInForce, reduceOnly } = order;
      const payload: OrderPayload = {
        account: request.key,
        instrument,
        side,
        quantity,
        orderType,
        limitPrice,
        stopPrice,
        timeInForce,
        reduceOnly,
        clientOrderId,
        nonce,
        expiresAt,
        sentAt: request.occurredAt,
      };
      const text = canonicalJson(payload);
      const origin = { source: 'sender/prepare', ordinal: order.attempt };
      const submitted = orderInput(request, 'order.submitted', origin, {
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
