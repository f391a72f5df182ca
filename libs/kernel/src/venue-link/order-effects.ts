import type { EffectAdapter } from '../ports/effect';
import { orderCanceller } from './order-canceller';
import type { OrderEffectsOptions } from './order-inputs';
import { orderPreparer } from './order-preparer';
import { orderSender } from './order-sender';

/** The adapters that take a portfolio's orders to its venue. */
export function orderEffects(options: OrderEffectsOptions): EffectAdapter[] {
  return [orderPreparer(options), orderSender(options), orderCanceller(options)];
}
