import type { OrderSigner } from '@moon/kernel';
import { signPaperOrder } from './paper-signature';

/**
 * Signs a portfolio's orders to the paper venue. The keys guard nothing, since the venue is part of the project: signing
 * only makes the path to it the same as to a real one.
 */
export const paperSigner: OrderSigner = {
  accountKey: (portfolio) => `paper-account-${portfolio}`,
  sign: (portfolio, payload) => signPaperOrder(payload, paperSigner.accountKey(portfolio)),
};
