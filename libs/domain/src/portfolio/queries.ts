import type { Instrument } from '../instruments';
import { abs, add, cmp, div, mul, neg, sign, sub, type Decimal } from '../money';
import type { PortfolioState, PositionState, Side } from './state';

const PRICE_PLACES = 12;

/** Trading needs the set of halts empty (rule 18); reduce-only orders pass all the same. */
export function isHalted(state: PortfolioState): boolean {
  return state.halts.length > 0;
}

/** The position in an instrument, signed: negative = short, '0' = flat. */
export function signedQuantity(state: PortfolioState, instrument: string): Decimal {
  return state.positions[instrument]?.quantity ?? '0';
}

/** The configured leverage of an instrument; 1 for one that the portfolio does not name. */
export function leverageOf(state: PortfolioState, instrument: string): number {
  return state.config.instruments[instrument]?.leverage ?? 1;
}

/** The average entry price, derived from the cost basis (rule 13), to 12 places. */
export function averagePrice(position: PositionState, instrument: Instrument): Decimal {
  const units = mul(position.quantity, instrument.multiplier);
  if (instrument.kind === 'inverse') return div(neg(units), position.costBasis, PRICE_PLACES);
  return div(position.costBasis, units, PRICE_PLACES);
}

/** Deposits − withdrawals, settlement asset. */
export function netFlows(state: PortfolioState): Decimal {
  return sub(state.deposits, state.withdrawals);
}

/** What orders in flight that may open or add have reserved, settlement asset; of one instrument, or of all. */
export function reservedNotional(state: PortfolioState, instrument?: string): Decimal {
  let total = '0';
  for (const orderId in state.reservations) {
    const reservation = state.reservations[orderId];
    if (reservation === undefined || reservation.reduceOnly) continue;
    if (instrument === undefined || reservation.instrument === instrument) total = add(total, reservation.notional);
  }
  return total;
}

/** What orders in flight may still buy, or sell, of an instrument. */
export function reservedQuantity(state: PortfolioState, instrument: string, side: Side): Decimal {
  let total = '0';
  for (const orderId in state.reservations) {
    const reservation = state.reservations[orderId];
    if (reservation === undefined || reservation.instrument !== instrument || reservation.side !== side) continue;
    total = add(total, reservation.quantity);
  }
  return total;
}

/**
 * How much an order of this side can reduce: |position| − the orders in flight that reduce it, at least '0'; and '0'
 * when the side does not reduce at all.
 */
export function reducibleQuantity(state: PortfolioState, instrument: string, side: Side): Decimal {
  const held = signedQuantity(state, instrument);
  if (sign(held) === 0 || sign(held) > 0 === (side === 'buy')) return '0';
  const free = sub(abs(held), reservedQuantity(state, instrument, side));
  return cmp(free, '0') > 0 ? free : '0';
}

/**
 * What the books do not account for; '0' as long as they are sound. Cash models:
 * cash + Σ cost basis − realised profit + fees − funding − deposits + withdrawals. Margin: the same without the cost
 * basis, which is not paid from the cash.
 */
export function ledgerImbalance(state: PortfolioState): Decimal {
  let balance = sub(state.cash, state.realisedPnl);
  balance = sub(add(balance, state.fees), state.funding);
  balance = sub(balance, netFlows(state));
  if (state.config.accountModel === 'margin') return balance;
  for (const instrument in state.positions) balance = add(balance, state.positions[instrument]?.costBasis ?? '0');
  return balance;
}
