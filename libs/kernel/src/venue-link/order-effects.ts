import type { EffectAdapter } from '../ports/effect';
import { orderCanceller } from './order-canceller';
import type { OrderEffectsOptions } from './order-inputs';
import { orderPreparer } from './order-preparer';
import { OrderSender } from './order-sender';

/** The adapters that take a portfolio's orders to its venue. */
export function orderEffects(options: OrderEffectsOptions): EffectAdapter[] {
  return [orderPreparer(options), new OrderSender(options), orderCanceller(options)];
}
