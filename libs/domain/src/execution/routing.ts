import { eventId, type EventEnvelope } from '@moon/events';
import type { PlaceOrder } from '../handler';
import { findInstrument, type Instrument } from '../instruments';
import { fromNumber, num15, toNumber } from '../money';
import type { PortfolioState } from '../portfolio';
import type { Owner } from './owner';
import { placeOrder } from './place-order';
import { shrinkToLimits, sizeOf, type Wish } from './sizing';
import { isDecided, rememberUnsent } from './state';

/** Name of the figure in a signal's context by which an agent asks for a position instead of a trade. */
const TARGET = 'targetQuantity';

/** What asks for a trade, and in which instrument this portfolio answers it. */
interface Approval {
  id: string;
  /** When it was given, ms. */
  at: number;
  origin: 'consensus' | 'agent';
  wish: Wish;
  instrument: Instrument;
}

/** Routes an approval of the consensus to this portfolio, if it subscribes to the consensus (rules 16, 20). */
export function routeApproval(owner: Owner, event: EventEnvelope<'trade.consensus_approved'>): void {
  const { portfolio } = owner.state;
  if (portfolio === null) return;
  const { consensus, agents } = portfolio.config.subscriptions;
  // Who follows agents directly does not trade on the consensus as well: it would trade twice on one opinion.
  if (!consensus || agents.length > 0) return;
  const { token, recommended_action: action, confidence, sizeFactor } = event.data;
  const instrument = instrumentFor(owner, portfolio, token);
  if (instrument === undefined) return;
  const wish: Wish = { action, confidence, sizeFactor };
  route(owner, portfolio, { id: event.id, at: event.occurredAt, origin: 'consensus', wish, instrument });
}

/** Routes a signal to a portfolio that subscribes to its agent directly; an answer to a window never trades (rule 20). */
export function routeSignal(owner: Owner, event: EventEnvelope<'signal.generated'>): void {
  const { portfolio } = owner.state;
  const { token, action, agent, windowId, confidence, sizeFactor = 1, context } = event.data;
  if (portfolio === null || windowId !== undefined || action === 'HOLD' || confidence === 0) return;
  if (!portfolio.config.subscriptions.agents.includes(agent)) return;
  const instrument = instrumentFor(owner, portfolio, token, event.data.instrument);
  if (instrument === undefined) return;
  const target = context?.[TARGET];
  const wish: Wish = { action, confidence, sizeFactor };
  if (typeof target === 'number') wish.target = fromNumber(num15(target));
  route(owner, portfolio, { id: event.id, at: event.occurredAt, origin: 'agent', wish, instrument });
}

/**
 * One order for each approval and portfolio: its id is derived from both, so a repeat is the same order. Nothing is said of
 * an approval that is too old: it was probably decided long ago, and what is said once more of it would bear the same ids.
 */
function route(owner: Owner, portfolio: PortfolioState, approval: Approval): void {
  const { instrument } = approval;
  if (owner.out.now - approval.at > owner.config.approvalTimeToLiveMs) return;
  const orderId = eventId('order', approval.id, portfolio.portfolio);
  if (isDecided(owner.state, orderId)) return;
  const size = sizeOf(owner, portfolio, instrument, approval.wish);
  if ('reason' in size) return reject(owner, orderId, instrument, size);
  const wanted: PlaceOrder = {
    type: 'PlaceOrder',
    key: owner.out.key,
    orderId,
    portfolio: portfolio.portfolio,
    token: instrument.token,
    instrument: instrument.id,
    side: size.side,
    quantity: size.quantity,
    orderType: 'MARKET',
    timeInForce: 'IOC',
    reduceOnly: false,
    priority: 'normal',
    origin: approval.origin,
    approvalId: approval.id,
    sizing: size.record,
  };
  const tooSmall = belowMinimum(owner, instrument, size.quantity);
  if (tooSmall !== null) return reject(owner, orderId, instrument, tooSmall);
  if (!owner.config.shrinkToLimits) return placeOrder(owner, wanted);
  const { order, limitedBy, verdict } = shrinkToLimits(owner, wanted, instrument.lot);
  if (limitedBy.length === 0) return placeOrder(owner, order, verdict);
  placeOrder(owner, { ...order, sizing: { ...order.sizing, wanted: wanted.quantity, limitedBy } }, verdict);
}

/** A wish that comes to less than the venue takes is refused here, with its reason; never in silence. */
function belowMinimum(owner: Owner, instrument: Instrument, quantity: string): Refusal | null {
  const mark = owner.state.prices.marks[instrument.id];
  const units = toNumber(quantity) * toNumber(instrument.multiplier);
  if (mark === undefined) return null;
  const value = instrument.kind === 'inverse' ? units : units * mark;
  if (value >= toNumber(instrument.minNotional)) return null;
  const message = `${quantity} of ${instrument.id} is worth ${num15(value)}; the venue wants at least ${instrument.minNotional}.`;
  return { reason: 'BELOW_MIN_NOTIONAL', message };
}

interface Refusal {
  reason: string;
  message: string;
}

function reject(owner: Owner, orderId: string, instrument: Instrument, { reason, message }: Refusal): void {
  rememberUnsent(owner.state, orderId);
  owner.out.emit('trade.rejected', {
    order_id: orderId,
    portfolio: owner.out.key,
    token: instrument.token,
    instrument: instrument.id,
    reason,
    message,
    stage: 'routing',
    timestamp: owner.out.now,
  });
}

/**
 * The instrument in which the portfolio trades a token: the one that the signal names (by itself or as the source of its
 * price), else the first of the portfolio's configuration.
 */
function instrumentFor(
  { state }: Owner,
  portfolio: PortfolioState,
  token: string,
  named?: string,
): Instrument | undefined {
  const { instruments } = portfolio.config.subscriptions;
  const candidates = state.routes.filter(
    (route) => route.token === token && (instruments.length === 0 || instruments.includes(route.instrument)),
  );
  const route =
    candidates.find(({ instrument }) => instrument === named) ??
    candidates.find(({ priceSource }) => priceSource === named) ??
    candidates[0];
  return route && findInstrument(route.instrument);
}
