import { add, cmp, isOnLot, isOnTick, sign, toNumber, type Decimal } from '@moon/domain';
import type { Desk, VenueContext } from './context';
import { feeRate } from './fee-volume';
import { feeOf, valueAt } from './ledger';
import { exposuresOf, heldBack, markOf, maxLeverageAt, openingQuantity, valueOf } from './margin';
import { takerPrice } from './prices';
import type { AccountState, OrderState } from './state';

export interface Refusal {
  code: string;
  message: string;
}

const refuse = (code: string, message: string): Refusal => ({ code, message });

/** What a venue checks when an order reaches it; null = accepted. The texts are HyperLiquid's where it has one. */
export function examine(context: VenueContext, account: AccountState, order: OrderState, desk: Desk): Refusal | null {
  const { instrument } = desk;
  const { time } = context.state;
  if (instrument.validTo !== null && time >= instrument.validTo)
    return refuse('instrument_closed', `${instrument.id} is not traded any more.`);
  if (instrument.settlement !== account.settlementAsset) {
    return refuse(
      'settlement_asset',
      `${instrument.id} settles in ${instrument.settlement}, the account in ${account.settlementAsset}.`,
    );
  }
  if (account.accountModel !== 'margin' && instrument.kind === 'inverse') {
    return refuse(
      'unsupported_instrument',
      `${instrument.id} is an inverse contract; only a margin account can hold it.`,
    );
  }
  if (account.accountModel === 'margin' && instrument.kind === 'spot') {
    return refuse('not_marginable', `${instrument.id} is a spot instrument; a margin account trades contracts.`);
  }
  return (
    examineShape(order, desk) ??
    examineReduceOnly(account, order) ??
    examineValue(context, order, desk) ??
    examineFunds(context, account, order, desk)
  );
}

function examineShape(order: OrderState, desk: Desk): Refusal | null {
  const { instrument } = desk;
  if (!isOnLot(instrument, order.quantity))
    return refuse('lot', `Order has invalid size: ${order.quantity} is no multiple of ${instrument.lot}.`);
  for (const [type, price, wants] of [
    ['limit', order.limitPrice, LIMIT_PRICE[order.orderType]],
    ['stop', order.stopPrice, STOP_PRICE[order.orderType]],
  ] as const) {
    if ((wants === 'one' && price === null) || (wants === 'none' && price !== null))
      return refuse('malformed_order', `A ${order.orderType} order with ${price === null ? 'no' : 'a'} ${type} price.`);
    if (price !== null && !isOnTick(instrument, price)) {
      return refuse('tick', `Price must be divisible by tick size: the ${type} price is ${price}.`);
    }
  }
  if (order.timeInForce === 'ALO' && order.orderType !== 'LIMIT')
    return refuse('malformed_order', `A ${order.orderType} order cannot be post-only.`);
  return null;
}

/** A stop or take-profit with a limit price becomes a limit order when it is triggered, else a market order. */
const LIMIT_PRICE = { MARKET: 'none', LIMIT: 'one', STOP: 'either', TAKE_PROFIT: 'either' } as const;
const STOP_PRICE = { MARKET: 'none', LIMIT: 'none', STOP: 'one', TAKE_PROFIT: 'one' } as const;

function examineReduceOnly(account: AccountState, order: OrderState): Refusal | null {
  if (!order.reduceOnly || reducible(account, order) !== '0') return null;
  return refuse('reduce_only', 'Reduce only order would increase position.');
}

function examineValue(context: VenueContext, order: OrderState, desk: Desk): Refusal | null {
  const price = order.limit || order.stop || takerPrice(context, desk, order.side, Number.POSITIVE_INFINITY);
  const minimum = toNumber(desk.instrument.minNotional);
  if (order.reduceOnly || minimum === 0 || price <= 0) return null;
  // The minimum is in quote: for inverse contracts that is the number of contracts times their size.
  const units = toNumber(order.quantity) * desk.multiplier;
  const value = desk.instrument.kind === 'inverse' ? units : units * price;
  return value < minimum
    ? refuse('min_notional', `Order must have minimum value of ${minimum}; it has ${value}.`)
    : null;
}

/** Whether the account can carry the order at the price it would meet; null without a price to judge by. */
export function examineFunds(
  context: VenueContext,
  account: AccountState,
  order: OrderState,
  desk: Desk,
): Refusal | null {
  const price = order.limit || order.stop || takerPrice(context, desk, order.side);
  if (price <= 0 || order.reduceOnly || account.accountModel === 'cash-short-credit') return null;
  if (account.accountModel === 'cash') return examineCash(context, account, order, { desk, price });
  return examineMargin(context, account, order, { desk, price });
}

function examineCash(
  context: VenueContext,
  account: AccountState,
  order: OrderState,
  at: { desk: Desk; price: number },
): Refusal | null {
  const open = toNumber(order.quantity) - toNumber(order.filled);
  if (order.side === 'sell') {
    const held = toNumber(account.positions[order.instrument]?.quantity ?? '0');
    const promised = restingQuantity(account, at.desk, order);
    return open > held - promised
      ? refuse(
          'insufficient_funds',
          `Order has insufficient spot balance to trade: ${held} held, ${promised} in other orders.`,
        )
      : null;
  }
  const rate = toNumber(feeRate(context, account, at.desk.instrument, 'taker'));
  const cost = valueOf(at.desk, open, at.price) * (1 + rate);
  const free = toNumber(account.cash) - heldBackCash(context, account, order);
  return cost > free * (1 + 1e-12)
    ? refuse('insufficient_funds', `Order has insufficient spot balance to trade: it costs ${cost}, free are ${free}.`)
    : null;
}

/**
 * Initial margin = |value| ÷ leverage. Cross: account value less fee must cover the margin of all positions as they
 * would be, and of resting orders. Isolated: the same for cash, and what the other positions have set aside.
 */
function examineMargin(
  context: VenueContext,
  account: AccountState,
  order: OrderState,
  at: { desk: Desk; price: number },
): Refusal | null {
  const opening = openingQuantity(account, order);
  if (opening === 0) return null;
  const { desk, price } = at;
  const leverage = account.leverage[order.instrument] ?? 1;
  const open = toNumber(order.quantity) - toNumber(order.filled);
  const fee = Math.abs(valueOf(desk, open, price)) * toNumber(feeRate(context, account, desk.instrument, 'taker'));
  const exposures = exposuresOf(context, account);
  const own = exposures.find((exposure) => exposure.desk === desk);
  const isAdding = own !== undefined && own.quantity > 0 === (order.side === 'buy');
  const added = Math.abs(valueOf(desk, opening, price));
  const resulting = isAdding ? own.notional + added : added;
  if (leverage > maxLeverageAt(desk, resulting)) {
    return refuse('max_position', 'Order would cause position to exceed margin tier limit at current leverage.');
  }
  const isIsolated = account.marginMode === 'isolated';
  let available = toNumber(account.cash) - fee - heldBack(context, account, order);
  for (const exposure of exposures) {
    const isOwn = exposure === own;
    if (isIsolated) {
      available -= isOwn && !isAdding ? 0 : exposure.margin;
      if (isOwn && !isAdding)
        available += valueOf(desk, exposure.quantity, price) - (exposure.value - exposure.unrealised);
    } else {
      available += exposure.unrealised;
      available -= isOwn && !isAdding ? 0 : exposure.notional / (account.leverage[exposure.position.instrument] ?? 1);
    }
  }
  const needed = added / leverage;
  return needed > available * (1 + 1e-12)
    ? refuse('insufficient_margin', `Insufficient margin to place order: it needs ${needed}, free are ${available}.`)
    : null;
}

/** Whether a cash account can pay for a fill to the last unit: it never goes below zero, nor short. */
export function canPay(
  context: VenueContext,
  account: AccountState,
  desk: Desk,
  fill: { side: 'buy' | 'sell'; quantity: Decimal; price: Decimal },
): boolean {
  if (account.accountModel !== 'cash') return true;
  if (fill.side === 'sell') return cmp(account.positions[desk.instrument.id]?.quantity ?? '0', fill.quantity) >= 0;
  const fee = feeOf(account, desk.instrument, fill, feeRate(context, account, desk.instrument, 'taker'));
  const cost = add(valueAt(desk.instrument, fill.quantity, fill.price, account.ledgerScale), fee);
  return cmp(account.cash, cost) >= 0;
}

/** How much of the position an order could take away; '0' when it does not reduce. */
export function reducible(account: AccountState, order: OrderState): Decimal {
  const held = account.positions[order.instrument]?.quantity ?? '0';
  const direction = sign(held);
  if (direction === 0 || direction > 0 === (order.side === 'buy')) return '0';
  return direction > 0 ? held : held.slice(1);
}

function restingQuantity(account: AccountState, desk: Desk, except: OrderState): number {
  let sum = 0;
  for (const order of desk.resting) {
    if (order.portfolio === account.portfolio && order !== except && order.side === 'sell') {
      sum += toNumber(order.quantity) - toNumber(order.filled);
    }
  }
  return sum;
}

function heldBackCash(context: VenueContext, account: AccountState, except: OrderState): number {
  let sum = 0;
  for (const desk of context.deskList) {
    const rate = toNumber(feeRate(context, account, desk.instrument, 'taker'));
    for (const order of desk.resting) {
      if (order.portfolio !== account.portfolio || order === except || order.side === 'sell') continue;
      const price = order.limit || order.stop || markOf(desk);
      sum += valueOf(desk, toNumber(order.quantity) - toNumber(order.filled), price) * (1 + rate);
    }
  }
  return sum;
}
