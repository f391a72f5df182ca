import { isOnLot, isOnTick } from '../instruments';
import { cmp, num15, toNumber } from '../money';
import { above, bySetting, type Limit } from './limit';

/** Limits that judge the order by itself: its digits, its size, its price, what it says that it does. */
export const LIMITS_OF_ORDER: readonly Limit[] = [
  {
    code: 'LOT_SIZE',
    title: 'The quantity is whole lots',
    setting: null,
    override: 'the instrument’s lot',
    message: 'Quantity {value} is not a whole number of lots of {bound}.',
    reducing: 'refuses',
    yieldsToSize: false,
    judge: ({ instrument, order }) =>
      instrument && !isOnLot(instrument, order.quantity) ? { value: order.quantity, bound: instrument.lot } : null,
  },
  {
    code: 'TICK_SIZE',
    title: 'The prices are on a tick',
    setting: null,
    override: 'the instrument’s price rule',
    message: 'Price {value} is not on the price grid of {bound}.',
    reducing: 'refuses',
    yieldsToSize: false,
    judge: ({ instrument, order }) => {
      if (instrument === null) return null;
      const off = [order.limitPrice, order.stopPrice].find(
        (price) => price !== undefined && !isOnTick(instrument, price),
      );
      return off === undefined ? null : { value: off, bound: instrument.id };
    },
  },
  {
    code: 'MIN_NOTIONAL',
    title: 'The order is worth the venue’s least',
    setting: null,
    override: 'the instrument’s minimum notional',
    message: 'The order is worth {value}, the venue wants at least {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ instrument, price }) => {
      if (instrument === null || price === null) return null;
      const least = toNumber(instrument.minNotional);
      return price.quoteValue < least ? { value: num15(price.quoteValue), bound: num15(least) } : null;
    },
  },
  {
    code: 'ORDER_VALUE',
    title: 'Value of one order',
    setting: 'order_value',
    override: bySetting('order_value'),
    message: 'The order is worth {value}, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ price, bounds }) => price && above(price.orderValue, bounds.order_value),
  },
  {
    code: 'ORDER_QUANTITY',
    title: 'Quantity of one order',
    setting: 'order_quantity',
    override: `${bySetting('order_quantity')}, or limits.order_quantity_by_instrument`,
    message: 'The order is for {value} units, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ order, bounds }) =>
      above(toNumber(order.quantity), bounds.order_quantity_by_instrument[order.instrument] ?? bounds.order_quantity),
  },
  {
    code: 'PRICE_COLLAR',
    title: 'The price is near the mark',
    setting: 'price_collar',
    override: bySetting('price_collar'),
    message: 'The order’s price is {value} of the mark away from it, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ price, bounds }) =>
      price && above(Math.abs(price.reference - price.mark) / price.mark, bounds.price_collar),
  },
  {
    code: 'REDUCE_ONLY_VIOLATED',
    title: 'A reduce-only order only reduces',
    setting: null,
    override: 'send it without reduceOnly',
    message: 'A reduce-only order for {value} would do more than reduce: {bound} can be reduced.',
    reducing: 'refuses',
    yieldsToSize: true,
    judge: ({ portfolio, order }) =>
      portfolio && order.reduceOnly && cmp(order.quantity, portfolio.reducible) > 0
        ? { value: order.quantity, bound: portfolio.reducible }
        : null,
  },
  {
    code: 'SHORT_NOT_ALLOWED',
    title: 'A cash account sells what it has',
    setting: null,
    override: 'use the account model cash-short-credit or margin',
    message: 'A cash account may not sell {value}: it holds {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ portfolio, order }) =>
      portfolio?.accountModel === 'cash' && order.side === 'sell' && cmp(order.quantity, portfolio.sellable) > 0
        ? { value: order.quantity, bound: portfolio.sellable }
        : null,
  },
];
