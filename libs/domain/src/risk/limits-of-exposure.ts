import { num15 } from '../money';
import { above, bySetting, ratio, type Limit } from './limit';

/** Limits that judge what the portfolio would be with the order, and everything in flight, filled. */
export const LIMITS_OF_EXPOSURE: readonly Limit[] = [
  {
    code: 'POSITION_LIMIT',
    title: 'Position per token',
    setting: 'position_limit',
    override: `${bySetting('position_limit')}, or limits.position_limit_by_token`,
    message: 'The position would be {value} times the portfolio value, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ portfolio, resulting, order, bounds }) =>
      portfolio &&
      resulting &&
      above(
        ratio(resulting.tokenNotional, portfolio.equity),
        bounds.position_limit_by_token[order.token] ?? bounds.position_limit,
      ),
  },
  {
    code: 'GROSS_EXPOSURE',
    title: 'Gross exposure',
    setting: 'gross_exposure',
    override: bySetting('gross_exposure'),
    message: 'Gross exposure would be {value}, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ resulting, bounds }) => resulting && above(resulting.grossExposure, bounds.gross_exposure),
  },
  {
    code: 'MAX_LEVERAGE',
    title: 'Leverage',
    setting: 'max_leverage',
    override: bySetting('max_leverage'),
    message: 'Leverage would be {value}, the limit is {bound}.',
    reducing: 'records',
    yieldsToSize: true,
    judge: ({ resulting, bounds }) => resulting && above(resulting.leverage, bounds.max_leverage),
  },
  {
    code: 'LIQUIDATION_DISTANCE',
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
    code: 'INSUFFICIENT_MARGIN',
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
    code: 'INSUFFICIENT_CASH',
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
];
