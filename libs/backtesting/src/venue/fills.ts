import {
  add,
  cmp,
  fromNumber,
  isOnTick,
  mul,
  roundPrice,
  roundQuantityDown,
  sub,
  toNumber,
  type Decimal,
} from '@moon/domain';
import { canPay, examineFunds, reducible } from './admission';
import { updateHolder, type Desk, type VenueContext } from './context';
import { bookFill, feeOf } from './ledger';
import { finish } from './order-life';
import { reportOrder, requireAccount } from './reports';
import type { AccountState, OrderState } from './state';

/** Fills an order that takes from the market at `price`, as far as liquidity, its limit and its position allow. */
export function take(context: VenueContext, desk: Desk, order: OrderState, price: number): void {
  const account = requireAccount(context, order.portfolio);
  const quantity = fillable(context, desk, account, order);
  if (quantity !== '0') {
    const { volume } = desk.market;
    const share = volume > 0 ? Math.min(1, toNumber(quantity) / volume) : 1;
    const slipped = context.models.slippage.price(price, order.side, share);
    // A limit that is already met bounds the slippage, it does not prevent the fill.
    const bounded =
      order.limit === 0
        ? slipped
        : order.side === 'buy'
          ? Math.min(slipped, order.limit)
          : Math.max(slipped, order.limit);
    const exact = fillPrice(desk, order, bounded);
    const refusal = canPay(context, account, desk, { side: order.side, quantity, price: exact })
      ? examineFunds(context, account, order, desk)
      : { code: 'insufficient_funds' };
    if (refusal !== null) return finish(context, account, order, { status: 'cancelled', code: refusal.code });
    execute(context, desk, order, { price: exact, quantity, liquidity: 'taker' });
  }
  if (order.status !== 'open') return;
  if (order.timeInForce === 'IOC') {
    finish(context, account, order, { status: 'cancelled', code: order.fills > 0 ? 'ioc_remainder' : 'no_liquidity' });
  }
}

/** Fills a resting limit order at its own price. */
export function make(context: VenueContext, desk: Desk, order: OrderState): void {
  const account = requireAccount(context, order.portfolio);
  const quantity = fillable(context, desk, account, order);
  if (quantity === '0' || order.limitPrice === null) return;
  const refusal = canPay(context, account, desk, { side: order.side, quantity, price: order.limitPrice })
    ? examineFunds(context, account, order, desk)
    : { code: 'insufficient_funds' };
  if (refusal !== null) return finish(context, account, order, { status: 'cancelled', code: refusal.code });
  execute(context, desk, order, { price: order.limitPrice, quantity, liquidity: 'maker' });
}

/**
 * The price of a taker's fill by the rule of the venue that trades: what its digits do not hold is rounded against
 * the taker (a buy up, a sell down).
 */
export function adversePrice(desk: Desk, side: 'buy' | 'sell', price: number): Decimal {
  const exact = fromNumber(price);
  if (isOnTick(desk.instrument, exact)) return exact;
  // roundPrice favours the one who orders, so the other side's rounding is the adverse one.
  if (side === 'buy') return roundPrice(desk.instrument, exact, 'sell');
  try {
    return roundPrice(desk.instrument, exact, 'buy');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Rounded down nothing is left: the smallest price there is.
    return roundPrice(desk.instrument, exact, 'sell');
  }
}

function fillPrice(desk: Desk, order: OrderState, price: number): Decimal {
  const rounded = adversePrice(desk, order.side, price);
  if (order.limitPrice === null) return rounded;
  const isWorse = order.side === 'buy' ? cmp(rounded, order.limitPrice) > 0 : cmp(rounded, order.limitPrice) < 0;
  return isWorse ? order.limitPrice : rounded;
}

/** What of an order can be filled now; a reduce-only order without a position to reduce ends here. */
function fillable(context: VenueContext, desk: Desk, account: AccountState, order: OrderState): Decimal {
  let quantity = order.filled === '0' ? order.quantity : sub(order.quantity, order.filled);
  if (order.reduceOnly) {
    const most = reducible(account, order);
    if (most === '0') {
      finish(context, account, order, { status: 'cancelled', code: 'reduce_only' });
      return '0';
    }
    if (cmp(quantity, most) > 0) quantity = most;
  }
  const { liquidity } = context.models;
  if (!liquidity.isLimited) return quantity;
  const left = liquidity.available(desk.market.volume) - takenOf(account, desk);
  if (left >= toNumber(quantity)) return quantity;
  return left > 0 ? roundQuantityDown(desk.instrument, fromNumber(left)) : '0';
}

function takenOf(account: AccountState, desk: Desk): number {
  const taken = account.taken[desk.instrument.id];
  return taken?.observation === desk.market.observations ? taken.quantity : 0;
}

interface Fill {
  price: Decimal;
  quantity: Decimal;
  liquidity: 'maker' | 'taker';
}

function execute(context: VenueContext, desk: Desk, order: OrderState, fill: Fill): void {
  const account = requireAccount(context, order.portfolio);
  const { instrument } = desk;
  const { price, quantity, liquidity } = fill;
  const rate = context.models.fee.rate(instrument, liquidity);
  const fee = feeOf(account, instrument, { side: order.side, quantity, price }, rate);
  bookFill(account, instrument, { side: order.side, quantity, price, fee, at: context.state.time });
  updateHolder(desk, account);
  if (context.models.liquidity.isLimited) {
    const quantityTaken = takenOf(account, desk) + toNumber(quantity);
    account.taken[instrument.id] = { observation: desk.market.observations, quantity: quantityTaken };
  }
  order.filled = add(order.filled, quantity);
  order.filledNotional = add(order.filledNotional, mul(price, quantity));
  order.fees = add(order.fees, fee);
  order.fills += 1;
  reportOrder(context, account, order, {
    kind: 'filled',
    side: order.side,
    price,
    quantity,
    fee,
    feeAsset: account.settlementAsset,
    liquidity,
    fillId: `${order.venueOrderId ?? ''}-${order.fills}`,
  });
  if (cmp(order.filled, order.quantity) === 0) finish(context, account, order, { status: 'filled', code: null });
  else if (order.reduceOnly && reducible(account, order) === '0') {
    finish(context, account, order, { status: 'cancelled', code: 'reduce_only' });
  }
}
