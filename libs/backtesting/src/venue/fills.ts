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
import { noteTaken, offersFor } from './book';
import { updateHolder, type Desk, type VenueContext } from './context';
import { feeRate, noteVolume } from './fee-volume';
import { bookFill, feeOf } from './ledger';
import { finish } from './order-life';
import { usableBook } from './prices';
import { reportFill, requireAccount } from './reports';
import type { AccountState, BookState, OrderState } from './state';

/** Fills an order that takes from the market at `price`, as far as liquidity, its limit and its position allow. */
export function take(context: VenueContext, desk: Desk, order: OrderState, price: number): void {
  const account = requireAccount(context, order.portfolio);
  const book = usableBook(context, desk.market);
  if (book !== null) takeFromBook(context, desk, order, book);
  else {
    const quantity = fillable(context, desk, account, order);
    if (quantity !== '0') {
      const { volume } = desk.market;
      const share = volume > 0 ? Math.min(1, toNumber(quantity) / volume) : 1;
      const exact = slippedPrice(context, desk, order, { price, share });
      const refusal = refusalOf(context, desk, account, order, { price: exact, quantity });
      if (refusal !== null) return finish(context, account, order, { status: 'cancelled', code: refusal });
      execute(context, desk, order, { price: exact, quantity, liquidity: 'taker' });
    }
  }
  if (order.status !== 'open') return;
  if (order.timeInForce === 'IOC') {
    finish(context, account, order, { status: 'cancelled', code: order.fills > 0 ? 'ioc_remainder' : 'no_liquidity' });
  }
}

/**
 * Walks the visible levels, best first, a fill for each. The depth is the liquidity: there is no share of a volume, and
 * of the slippage only its fixed part.
 */
function takeFromBook(context: VenueContext, desk: Desk, order: OrderState, book: BookState): void {
  const account = requireAccount(context, order.portfolio);
  const { instrument } = desk;
  let left = openQuantity(context, account, order);
  if (left === '0') return;
  for (const offer of offersFor(account, instrument.id, book, order)) {
    const quantity =
      offer.quantity >= toNumber(left) ? left : roundQuantityDown(instrument, fromNumber(clean(offer.quantity)));
    if (quantity === '0') continue;
    const price = slippedPrice(context, desk, order, { price: offer.price, share: 0 });
    const refusal = refusalOf(context, desk, account, order, { price, quantity });
    if (refusal !== null) return finish(context, account, order, { status: 'cancelled', code: refusal });
    noteTaken(account, instrument.id, book, { ...offer, quantity: toNumber(quantity) });
    execute(context, desk, order, { price, quantity, liquidity: 'taker' });
    left = sub(left, quantity);
    if (order.status !== 'open' || left === '0') return;
  }
}

/** Differences of float64 sizes, without the dust of their last places. */
const clean = (size: number): number => Number(size.toPrecision(12));

/**
 * Fills a resting limit order at its own price.
 *
 * @param most base quantity that came to it; `book` = what the other side of the book shows at its price or beyond
 */
export function make(context: VenueContext, desk: Desk, order: OrderState, most?: number | 'book'): void {
  const account = requireAccount(context, order.portfolio);
  if (order.limitPrice === null) return;
  let quantity = most === undefined ? fillable(context, desk, account, order) : openQuantity(context, account, order);
  if (most === 'book') quantity = takeOffers(desk, account, order, quantity);
  else if (most !== undefined && most < toNumber(quantity)) {
    quantity = roundQuantityDown(desk.instrument, fromNumber(clean(most)));
  }
  if (quantity === '0') return;
  const refusal = refusalOf(context, desk, account, order, { price: order.limitPrice, quantity });
  if (refusal !== null) return finish(context, account, order, { status: 'cancelled', code: refusal });
  execute(context, desk, order, { price: order.limitPrice, quantity, liquidity: 'maker' });
}

/** How much of `wanted` the other side of the book offers at the order's limit; it is noted as taken. */
function takeOffers(desk: Desk, account: AccountState, order: OrderState, wanted: Decimal): Decimal {
  const { book } = desk.market;
  if (book === null || wanted === '0') return '0';
  let sum: Decimal = '0';
  for (const offer of offersFor(account, desk.instrument.id, book, order)) {
    const left = sub(wanted, sum);
    const part =
      offer.quantity >= toNumber(left) ? left : roundQuantityDown(desk.instrument, fromNumber(clean(offer.quantity)));
    if (part === '0') continue;
    noteTaken(account, desk.instrument.id, book, { ...offer, quantity: toNumber(part) });
    sum = add(sum, part);
    if (cmp(sum, wanted) === 0) break;
  }
  return sum;
}

/** Why an account cannot carry a fill; null = it can. */
function refusalOf(
  context: VenueContext,
  desk: Desk,
  account: AccountState,
  order: OrderState,
  fill: { price: Decimal; quantity: Decimal },
): string | null {
  const { price, quantity } = fill;
  if (!canPay(context, account, desk, { side: order.side, price, quantity })) return 'insufficient_funds';
  return examineFunds(context, account, order, desk)?.code ?? null;
}

/** A taker's price with slippage, by the venue's price rule. A limit that is met bounds it, it does not prevent the fill. */
function slippedPrice(
  context: VenueContext,
  desk: Desk,
  order: OrderState,
  met: { price: number; share: number },
): Decimal {
  const slipped = context.models.slippage.price(met.price, order.side, met.share);
  if (order.limit === 0) return fillPrice(desk, order, slipped);
  const isBuy = order.side === 'buy';
  return fillPrice(desk, order, isBuy ? Math.min(slipped, order.limit) : Math.max(slipped, order.limit));
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

/** What of an order can be filled now, by the share of the volume that an account may take. */
function fillable(context: VenueContext, desk: Desk, account: AccountState, order: OrderState): Decimal {
  const quantity = openQuantity(context, account, order);
  const { liquidity } = context.models;
  if (!liquidity.isLimited || quantity === '0') return quantity;
  const left = liquidity.available(desk.market.volume) - takenOf(account, desk);
  if (left >= toNumber(quantity)) return quantity;
  return left > 0 ? roundQuantityDown(desk.instrument, fromNumber(left)) : '0';
}

/** What of an order is open; a reduce-only order without a position to reduce ends here. */
function openQuantity(context: VenueContext, account: AccountState, order: OrderState): Decimal {
  const quantity = order.filled === '0' ? order.quantity : sub(order.quantity, order.filled);
  if (!order.reduceOnly) return quantity;
  const most = reducible(account, order);
  if (most === '0') finish(context, account, order, { status: 'cancelled', code: 'reduce_only' });
  return cmp(quantity, most) > 0 ? most : quantity;
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
  const rate = feeRate(context, account, instrument, liquidity);
  const fee = feeOf(account, instrument, { side: order.side, quantity, price }, rate);
  noteVolume(context, account, instrument, { quantity, price });
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
  reportFill(context, account, order, {
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
