import type { EventData } from '@moon/events';
import { isOnLot, isOnTick } from '../instruments';
import { cmp, num15, toNumber } from '../money';
import type { LimitFacts } from './facts';
import type { LimitsConfig } from './limits-config';

export type Breach = EventData<'risk.constraint_violation'>['breaches'][number];

/** What a limit found and what it allows. */
interface Finding {
  value: number | string | null;
  bound: number | string | null;
}

export interface Limit {
  /** Stands in `Breach.code` and in `trade.rejected.reason`. */
  readonly code: string;
  readonly title: string;
  /** The configured bound; null = the bound follows from the instrument, the account or the state. */
  readonly setting: keyof LimitsConfig | null;
  /** How the bound is changed. */
  readonly override: string;
  /** `{value}` and `{bound}` are filled in. */
  readonly message: string;
  /** What a breach does to an order that only reduces: it is refused as well, or the breach is recorded and it goes on. */
  readonly reducing: 'refuses' | 'records';
  /** Whether a smaller order may satisfy the limit. */
  readonly yieldsToSize: boolean;
  /** The breach, or null when the limit is kept or lacks what it needs to judge. */
  judge(facts: LimitFacts): Finding | null;
}

const bySetting = (setting: keyof LimitsConfig) => `limits.${setting} of the portfolio`;

/** Beyond this a ratio says no more; keeps a division by a vanishing equity inside JSON's numbers. */
const MOST = 1_000_000;

const above = (value: number, bound: number): Finding | null =>
  value > bound ? { value: num15(Math.min(value, MOST * MOST)), bound: num15(bound) } : null;
const text = (value: string): string => (value.length > 200 ? `${value.slice(0, 199)}…` : value);

/**
 * Every limit that an order must keep, as data. All are judged for every order, in this order; nothing goes around them.
 * A limit never throws and never looks beyond its facts.
 */
export const LIMITS: readonly Limit[] = [
  {
    code: 'portfolio_unknown',
    title: 'The portfolio exists',
    setting: null,
    override: 'open the portfolio',
    message: 'There is no portfolio {value}; open it before trading in it.',
    reducing: 'refuses',
    yieldsToSize: false,
    judge: ({ portfolio, order }) => (portfolio === null ? { value: text(order.portfolio), bound: null } : null),
  },
  {
    code: 'instrument_unknown',
    title: 'The portfolio trades the instrument',
    setting: null,
    override: 'list the instrument in the portfolio’s instruments',
    message: 'The portfolio does not trade {value}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, instrument, order }) =>
      portfolio !== null && instrument === null ? { value: text(order.instrument), bound: null } : null,
  },
  {
    code: 'not_reconciled',
    title: 'Books agree with the venue',
    setting: null,
    override: 'reconcile the portfolio with its venue',
    message: 'The portfolio has not been reconciled with its venue since the start.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio }) => (portfolio !== null && !portfolio.isReconciled ? { value: null, bound: null } : null),
  },
  {
    code: 'halted',
    title: 'Trading is not halted',
    setting: null,
    override: 'each source lifts its own halt',
    message: 'Trading is halted by {value}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio }) =>
      portfolio !== null && portfolio.halts.length > 0 ? { value: text(portfolio.halts.join('; ')), bound: null } : null,
  },
  {
    code: 'price_missing',
    title: 'A price is known',
    setting: null,
    override: 'configure a price source that is fed',
    message: 'No price of {value} is known.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, price, order }) =>
      portfolio !== null && price === null ? { value: text(order.instrument), bound: null } : null,
  },
  {
    code: 'price_stale',
    title: 'The price is recent',
    setting: 'price_stale',
    override: bySetting('price_stale'),
    message: 'The last price is {value} ms old, the limit is {bound} ms.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ price, bounds }) => price && above(price.ageMs, bounds.price_stale),
  },
  {
    code: 'lot_size',
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
    code: 'tick_size',
    title: 'The prices are on a tick',
    setting: null,
    override: 'the instrument’s price rule',
    message: 'Price {value} is not on the price grid of {bound}.',
    reducing: 'refuses',
    yieldsToSize: false,
    judge: ({ instrument, order }) => {
      if (instrument === null) return null;
      const off = [order.limitPrice, order.stopPrice].find((price) => price !== undefined && !isOnTick(instrument, price));
      return off === undefined ? null : { value: off, bound: instrument.id };
    },
  },
  {
    code: 'min_notional',
    title: 'The order is worth the venue’s least',
    setting: null,
    override: 'the instrument’s minimum notional',
    message: 'The order is worth {value}, the venue wants at least {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ instrument, price }) => {
      if (instrument === null || price === null) return null;
      const least = toNumber(instrument.minNotional);
      return price.orderValue < least ? { value: num15(price.orderValue), bound: num15(least) } : null;
    },
  },
  {
    code: 'order_value',
    title: 'Value of one order',
    setting: 'order_value',
    override: bySetting('order_value'),
    message: 'The order is worth {value}, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ price, bounds }) => price && above(price.orderValue, bounds.order_value),
  },
  {
    code: 'order_quantity',
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
    code: 'price_collar',
    title: 'The price is near the mark',
    setting: 'price_collar',
    override: bySetting('price_collar'),
    message: 'The order’s price is {value} of the mark away from it, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ price, bounds }) => price && above(Math.abs(price.reference - price.mark) / price.mark, bounds.price_collar),
  },
  {
    code: 'reduce_only_violated',
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
    code: 'short_not_allowed',
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
  {
    code: 'position_limit',
    title: 'Position per token',
    setting: 'position_limit',
    override: `${bySetting('position_limit')}, or limits.position_limit_by_token`,
    message: 'The position would be {value} times the portfolio value, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ portfolio, resulting, order, bounds }) =>
      portfolio &&
      resulting &&
      above(ratio(resulting.tokenNotional, portfolio.equity), bounds.position_limit_by_token[order.token] ?? bounds.position_limit),
  },
  {
    code: 'gross_exposure',
    title: 'Gross exposure',
    setting: 'gross_exposure',
    override: bySetting('gross_exposure'),
    message: 'Gross exposure would be {value}, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ resulting, bounds }) => resulting && above(resulting.grossExposure, bounds.gross_exposure),
  },
  {
    code: 'max_leverage',
    title: 'Leverage',
    setting: 'max_leverage',
    override: bySetting('max_leverage'),
    message: 'Leverage would be {value}, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ resulting, bounds }) => resulting && above(resulting.leverage, bounds.max_leverage),
  },
  {
    code: 'liquidation_distance',
    title: 'Distance to liquidation after the order',
    setting: 'liquidation_distance',
    override: bySetting('liquidation_distance'),
    message: 'The position would be {value} of its price away from liquidation, at least {bound} is required.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ resulting, bounds }) =>
      resulting !== null && resulting.distance !== null && resulting.distance < bounds.liquidation_distance
        ? { value: num15(resulting.distance), bound: bounds.liquidation_distance }
        : null,
  },
  {
    code: 'insufficient_margin',
    title: 'Enough margin',
    setting: null,
    override: 'deposit, or lower the size or the exposure',
    message: 'The order takes {value} of margin, {bound} is free.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ portfolio, resulting }) =>
      portfolio !== null && portfolio.accountModel === 'margin' && resulting !== null && resulting.available < 0
        ? { value: num15(resulting.required), bound: num15(resulting.required + resulting.available) }
        : null,
  },
  {
    code: 'insufficient_cash',
    title: 'Enough cash',
    setting: null,
    override: 'deposit, or lower the size',
    message: 'The order takes {value} of cash, {bound} is free.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ portfolio, resulting }) =>
      portfolio !== null && portfolio.accountModel !== 'margin' && resulting !== null && resulting.available < 0
        ? { value: num15(resulting.required), bound: num15(resulting.required + resulting.available) }
        : null,
  },
  {
    code: 'drawdown_total',
    title: 'Drawdown from the peak',
    setting: 'drawdown_total',
    override: bySetting('drawdown_total'),
    message: 'The portfolio is {value} below its peak, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, bounds }) => portfolio && above(portfolio.drawdown, bounds.drawdown_total),
  },
  {
    code: 'drawdown_day',
    title: 'Loss of the day',
    setting: 'drawdown_day',
    override: bySetting('drawdown_day'),
    message: 'The portfolio has lost {value} since 00:00 UTC, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, bounds }) => portfolio && above(portfolio.dayDrawdown, bounds.drawdown_day),
  },
  {
    code: 'orders_per_second',
    title: 'Orders per second',
    setting: 'orders_per_second',
    override: bySetting('orders_per_second'),
    message: 'It would be the order number {value} within a second, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ ordersInLastSecond, bounds }) => above(ordersInLastSecond + 1, bounds.orders_per_second),
  },
  {
    code: 'duplicate_order',
    title: 'No order is sent twice',
    setting: 'duplicate_order',
    override: bySetting('duplicate_order'),
    message: 'The order repeats order {value}; within {bound} ms that is taken for a mistake.',
    reducing: 'refuses',
    yieldsToSize: false,
    judge: ({ duplicateOf, bounds }) => (duplicateOf === null ? null : { value: duplicateOf, bound: bounds.duplicate_order }),
  },
];

/** a ÷ b; with nothing to divide by it is the largest ratio that is told apart. */
export function ratio(a: number, b: number): number {
  if (a === 0) return 0;
  return b > 0 ? Math.min(a / b, MOST) : MOST;
}
