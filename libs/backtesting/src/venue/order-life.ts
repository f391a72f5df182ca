import { isZero, sub } from '@moon/domain';
import { forgetOrder, type VenueContext } from './context';
import { own } from './own';
import { reportOrder } from './reports';
import type { AccountState, OrderState } from './state';

interface Ending {
  status: 'filled' | 'cancelled' | 'rejected' | 'expired';
  code: string | null;
  message?: string;
}

/** Ends an order: it leaves the book, stays known for queries, and the end is reported (a fill has been already). */
export function finish(context: VenueContext, account: AccountState, order: OrderState, ending: Ending): void {
  order.status = ending.status;
  order.code = ending.code;
  const resting = own(context.state.resting, order.instrument);
  const at = resting?.indexOf(order) ?? -1;
  if (resting && at >= 0) resting.splice(at, 1);
  account.finished.push(order);
  const { keepOrders } = context.config;
  if (account.finished.length > keepOrders * 1.25) {
    for (const old of account.finished.splice(0, account.finished.length - keepOrders)) forgetOrder(context, old);
  }
  if (ending.status === 'filled') return;
  const rest = sub(order.quantity, order.filled);
  reportOrder(context, account, order, {
    kind: ending.status,
    side: order.side,
    ...(isZero(rest) ? {} : { quantity: rest }),
    ...(ending.code === null ? {} : { code: ending.code }),
    message: ending.message ?? ENDINGS[ending.code ?? ''] ?? 'The order ended.',
  });
}

const ENDINGS: Record<string, string> = {
  expired: 'The signed bytes had expired when they reached the venue.',
  cancelled: 'Cancelled as asked.',
  ioc_remainder: 'The rest could not be filled at once.',
  no_liquidity: 'Order could not immediately match against any resting orders.',
  reduce_only: 'There is no position left to reduce.',
  insufficient_margin: 'Insufficient margin when the order was to be filled.',
  insufficient_funds: 'Insufficient balance when the order was to be filled.',
  max_position: 'The fill would cause the position to exceed its margin tier limit.',
  liquidated: 'The account is being liquidated.',
  instrument_closed: 'The instrument is not traded any more.',
};
