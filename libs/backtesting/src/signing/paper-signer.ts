import type { OrderSigner } from '@moon/kernel';
import { signPaperOrder } from './paper-signature';

const keyOf = (portfolio: string): string => `paper-account-${portfolio}`;

/**
 * Signs a portfolio's orders to the paper venue. The keys guard nothing, since the venue is part of the project: signing
 * only makes the path to it the same as to a real one.
 */
export const paperSigner: OrderSigner = {
  accountKey: keyOf,
  sign: (portfolio, payload) => signPaperOrder(payload, keyOf(portfolio)),
};

/** Of a replay: its venue was made with it and lives inside it, so there is nobody who could send in another's name. */
export const unsigned: OrderSigner = { accountKey: () => undefined, sign: () => 'unsigned' };
