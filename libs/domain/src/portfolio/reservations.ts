import type { EmitData } from '@moon/events';
import { canonical, cmp, ledger, sign, sub, type Decimal } from '../money';
import { refuse, type Decision } from '../order/decision';
import { share } from './booking';
import { reservedNotional, reservedQuantity, signedQuantity } from './queries';
import type { PortfolioState, Side } from './state';

export interface ReservationRequest {
  orderId: string;
  instrument: string;
  side: Side;
  quantity: Decimal;
  /** Settlement asset; what the order may cost, fee and slippage included. */
  notional: Decimal;
  reduceOnly: boolean;
  timestamp: number;
}

/**
 * Sets room aside for an order in flight (rule 16). A cash account refuses what it could not pay for or deliver, other
 * orders in flight counted; what a margin account may do is for the limits to say.
 */
export function decideReservation(state: PortfolioState, request: ReservationRequest): Decision<'portfolio.reserved'> {
  if (state.reservations[request.orderId] !== undefined) {
    return refuse('duplicate_reservation', `Order ${request.orderId} has a reservation already.`);
  }
  if (sign(request.quantity) <= 0 || sign(request.notional) < 0) {
    return refuse('invalid_quantity', `A reservation needs a quantity above zero and a notional of at least zero.`);
  }
  const lacking = state.config.accountModel === 'cash' ? lackingInCash(state, request) : undefined;
  if (lacking !== undefined) return lacking;
  const { orderId, instrument, side, quantity, notional, reduceOnly, timestamp } = request;
  const data: EmitData<'portfolio.reserved'> = {
    portfolio: state.portfolio,
    order_id: orderId,
    instrument,
    side,
    quantity: canonical(quantity),
    notional: ledger(notional, state.config.ledgerScale),
    reduceOnly,
    timestamp,
  };
  return { events: [{ type: 'portfolio.reserved', data }] };
}

function lackingInCash(state: PortfolioState, request: ReservationRequest): ReturnType<typeof refuse> | undefined {
  if (request.side === 'buy') {
    const free = sub(state.cash, reservedNotional(state));
    if (cmp(request.notional, free) <= 0) return undefined;
    return refuse(
      'insufficient_cash',
      `The order may cost ${request.notional}; portfolio ${state.portfolio} has ${free} left.`,
      { free },
    );
  }
  const free = sub(signedQuantity(state, request.instrument), reservedQuantity(state, request.instrument, 'sell'));
  if (cmp(request.quantity, free) <= 0) return undefined;
  return refuse(
    'short_not_allowed',
    `Portfolio ${state.portfolio} is a cash account and has ${free} of ${request.instrument} left to sell.`,
    { free },
  );
}

export interface ReleaseRequest {
  orderId: string;
  reason: EmitData<'portfolio.reservation_released'>['reason'];
  timestamp: number;
  /** How much of the order needs no room any more; default: all that is left. */
  quantity?: Decimal;
}

/** Frees the room of an order, or of a part of it, by quantity; the last part frees the rest. No events when nothing is left. */
export function decideRelease(
  state: PortfolioState,
  request: ReleaseRequest,
): Decision<'portfolio.reservation_released'> {
  const held = state.reservations[request.orderId];
  if (held === undefined) return { events: [] };
  const asked = request.quantity ?? held.quantity;
  const quantity = cmp(asked, held.quantity) < 0 ? canonical(asked) : held.quantity;
  if (sign(quantity) <= 0) return { events: [] };
  const data: EmitData<'portfolio.reservation_released'> = {
    portfolio: state.portfolio,
    order_id: request.orderId,
    quantity,
    notional: share(held.notional, quantity, held.quantity, state.config.ledgerScale),
    reason: request.reason,
    timestamp: request.timestamp,
  };
  return { events: [{ type: 'portfolio.reservation_released', data }] };
}
