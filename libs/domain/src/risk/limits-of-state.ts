import { above, bySetting, line, type Limit } from './limit';

/** Limits that judge the moment: who trades, on what knowledge, how often. */
export const LIMITS_OF_STATE: readonly Limit[] = [
  {
    code: 'PORTFOLIO_UNKNOWN',
    title: 'The portfolio exists',
    setting: null,
    override: 'open the portfolio',
    message: 'There is no portfolio {value}; open it before trading in it.',
    reducing: 'refuses',
    yieldsToSize: false,
    judge: ({ portfolio, order }) => (portfolio === null ? { value: line(order.portfolio), bound: null } : null),
  },
  {
    code: 'INSTRUMENT_UNKNOWN',
    title: 'The portfolio trades the instrument',
    setting: null,
    override: 'list the instrument in the portfolio’s instruments',
    message: 'The portfolio does not trade {value}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, instrument, order }) =>
      portfolio !== null && instrument === null ? { value: line(order.instrument), bound: null } : null,
  },
  {
    code: 'NOT_RECONCILED',
    title: 'Books agree with the venue',
    setting: null,
    override: 'reconcile the portfolio with its venue',
    message: 'The portfolio’s books have not been found equal to the venue’s since the start.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio }) => (portfolio !== null && !portfolio.isReconciled ? { value: null, bound: null } : null),
  },
  {
    code: 'HALTED',
    title: 'Trading is not halted',
    setting: null,
    override: 'each source lifts its own halt',
    message: 'Trading is halted by {value}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio }) =>
      portfolio !== null && portfolio.halts.length > 0
        ? { value: line(portfolio.halts.join('; ')), bound: null }
        : null,
  },
  {
    code: 'PRICE_MISSING',
    title: 'A price is known',
    setting: null,
    override: 'configure a price source that is fed',
    message: 'No price of {value} is known.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, instrument, price, order }) =>
      portfolio !== null && instrument !== null && price === null
        ? { value: line(order.instrument), bound: null }
        : null,
  },
  {
    code: 'PRICE_STALE',
    title: 'The price is recent',
    setting: 'price_stale',
    override: bySetting('price_stale'),
    message: 'The last price is {value} ms old, the limit is {bound} ms.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ price, bounds }) => price && above(price.ageMs, bounds.price_stale),
  },
  {
    code: 'DRAWDOWN_TOTAL',
    title: 'Drawdown from the peak',
    setting: 'drawdown_total',
    override: bySetting('drawdown_total'),
    message: 'The portfolio is {value} below its peak, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, bounds }) => portfolio && above(portfolio.drawdown, bounds.drawdown_total),
  },
  {
    code: 'DRAWDOWN_DAY',
    title: 'Loss of the day',
    setting: 'drawdown_day',
    override: bySetting('drawdown_day'),
    message: 'The portfolio has lost {value} since 00:00 UTC, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ portfolio, bounds }) => portfolio && above(portfolio.dayDrawdown, bounds.drawdown_day),
  },
  {
    code: 'ORDERS_PER_SECOND',
    title: 'Orders per second',
    setting: 'orders_per_second',
    override: bySetting('orders_per_second'),
    message: 'It would be the order number {value} within a second, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: false,
    judge: ({ ordersInLastSecond, bounds }) => above(ordersInLastSecond + 1, bounds.orders_per_second),
  },
  {
    code: 'DUPLICATE_ORDER',
    title: 'No order is sent twice',
    setting: 'duplicate_order',
    override: bySetting('duplicate_order'),
    message: 'The order repeats order {value}; within {bound} ms that is taken for a mistake.',
    reducing: 'refuses',
    yieldsToSize: false,
    judge: ({ duplicateOf, bounds }) =>
      duplicateOf === null ? null : { value: duplicateOf, bound: bounds.duplicate_order },
  },
];
