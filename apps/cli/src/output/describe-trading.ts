import type { Descriptions } from './descriptions';
import { shortId, short } from './text';

/** Risk, orders, portfolios and the system. */
export const describeTrading: Descriptions = {
  'risk.ok': ({ portfolio, message }) => `${portfolio}: ${message}`,
  'risk.alert': ({ portfolio, severity, violation_type, action_required, message }) =>
    `${portfolio} ${severity} ${violation_type}, ${action_required.replaceAll('_', ' ')}: ${message}`,
  'risk.critical': ({ portfolio, message }) => `${portfolio}: ${message}`,
  'risk.cascade_detected': ({ portfolio, message }) => `${portfolio}: ${message}`,
  'risk.constraint_violation': ({ portfolio, order_id, breaches, recordedOnly }) =>
    `${portfolio} order ${shortId(order_id)}${recordedOnly ? ' (recorded only)' : ''}: ${breaches.map(({ message }) => message).join(' ')}`,
  'order.requested': ({ portfolio, order_id, side, quantity, instrument, order_type, reduceOnly, origin }) =>
    `${portfolio} order ${shortId(order_id)}: ${side} ${quantity} ${instrument} ${order_type}${reduceOnly ? ', reduce-only' : ''} (${origin})`,
  'order.approved': ({ portfolio, order_id, limitsChecked }) =>
    `${portfolio} order ${shortId(order_id)} passed ${limitsChecked} limits`,
  'order.submitted': ({ portfolio, order_id, attempt }) =>
    `${portfolio} order ${shortId(order_id)}, attempt ${attempt}`,
  'order.outcome_unknown': ({ portfolio, order_id, detail }) => `${portfolio} order ${shortId(order_id)}: ${detail}`,
  'order.withheld': ({ portfolio, order_id, reason, detail }) =>
    `${portfolio} order ${shortId(order_id)} ${reason}: ${detail}`,
  'order.cancel_requested': ({ portfolio, order_id, reason }) => `${portfolio} order ${shortId(order_id)}: ${reason}`,
  'trade.placed': ({ portfolio, order_id, side, quantity, instrument, venueOrderId }) =>
    `${portfolio} order ${shortId(order_id)}: ${side} ${quantity} ${instrument} is at the venue as ${venueOrderId}`,
  'trade.executed': ({ portfolio, order_id, side, quantity, instrument, price, fee, feeAsset, status }) =>
    `${portfolio} order ${shortId(order_id)}: ${side} ${quantity} ${instrument} at ${price}, fee ${fee} ${feeAsset}, ${status.toLowerCase().replaceAll('_', ' ')}`,
  'trade.rejected': ({ portfolio, order_id, reason, message }) =>
    `${portfolio} order ${shortId(order_id)} ${reason}: ${message}`,
  'trade.cancelled': ({ portfolio, order_id, filledQuantity, reason }) =>
    `${portfolio} order ${shortId(order_id)} after ${filledQuantity} filled: ${reason}`,
  'trade.expired': ({ portfolio, order_id, filledQuantity }) =>
    `${portfolio} order ${shortId(order_id)} after ${filledQuantity} filled`,
  'trade.close': ({ portfolio, side, quantity, instrument, reason }) =>
    `${portfolio} ${side} ${quantity} ${instrument}: ${reason}`,
  'trade.force_close': ({ portfolio, stage, reason }) => `${portfolio} ${stage}: ${reason}`,
  'position.closed': ({ portfolio, side, quantity, instrument, exit_price, pnl_usd }) =>
    `${portfolio} ${side} ${quantity} ${instrument} closed at ${short(exit_price)}, P&L ${short(pnl_usd)}`,
  'venue.report': ({ venue, portfolio, kind, order_id, quantity, price, message }) =>
    `${venue} ${portfolio} ${kind}${order_id === undefined ? '' : ` order ${shortId(order_id)}`}` +
    `${quantity === undefined ? '' : ` ${quantity}`}${price === undefined ? '' : ` at ${price}`}${message === undefined ? '' : `: ${message}`}`,
  'portfolio.reserved': ({ portfolio, order_id, notional }) =>
    `${portfolio} ${notional} for order ${shortId(order_id)}`,
  'portfolio.reservation_released': ({ portfolio, order_id, notional, reason }) =>
    `${portfolio} ${notional} of order ${shortId(order_id)} (${reason})`,
  'portfolio.fill_booked': ({ portfolio, side, quantity, instrument, price, cashDelta, realisedPnl }) =>
    `${portfolio} ${side} ${quantity} ${instrument} at ${price}: cash ${cashDelta}, realised ${realisedPnl}`,
  'portfolio.reconciled': ({ portfolio, differences }) =>
    `${portfolio} ${differences.length === 0 ? 'equals the venue’s books' : differences.join('; ')}`,
  'halt.raised': ({ portfolio, source, reason, detail }) =>
    `${portfolio ?? 'all portfolios'} by ${causeOf(source, reason)}${detail === undefined ? '' : ` (${detail})`}`,
  'halt.lifted': ({ portfolio, source, reason }) => `${portfolio ?? 'all portfolios'} by ${causeOf(source, reason)}`,
  'state.snapshot': ({ portfolio, portfolio_value, leverage_ratio, daily_pnl }) =>
    `${portfolio} value ${short(portfolio_value)}, leverage ${short(leverage_ratio)}, today ${short(daily_pnl)}`,
  'state.changed': ({ portfolio, version, delta }) =>
    `${portfolio} version ${version}: ${Array.isArray(delta.changed_fields) ? delta.changed_fields.join(', ') : ''}`,
  'deadline.reached': ({ handler, handlerKey, name }) => `${name} of ${handler}/${handlerKey}`,
  'backtest.completed': ({ reportId, status, statusReason, eventHash }) =>
    `${reportId} ${status}${statusReason === undefined ? '' : `: ${statusReason}`}${eventHash === null ? '' : `, events ${eventHash.slice(0, 12)}`}`,
  'operator.command': ({ command, requestedBy, arguments: asked }) =>
    `${requestedBy}: ${command} ${JSON.stringify(asked)}`,
};

/** Source and reason of a halt; a limit's name, which is in both, once. */
export function causeOf(source: string, reason: string): string {
  return source === `risk:${reason}` || source.startsWith(`risk:${reason}@`) ? source : `${source}: ${reason}`;
}
