import type { Instrument } from '../instruments';
import { abs, add, cmp, div, ledger, mul, mulDiv, neg, sign, sub, type Decimal } from '../money';
import type { PortfolioConfig, PositionState, Side } from './state';

/** One trade to book: what was bought or sold, and the fee in the settlement asset. */
export interface Trade {
  readonly side: Side;
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly fee: Decimal;
}

/** What a trade does to the books; amounts in settlement asset, each rounded once (rule 13). */
export interface Booking {
  readonly realisedPnl: Decimal;
  readonly cashDelta: Decimal;
  readonly costBasisDelta: Decimal;
  /** How much of the trade closed the old position; '0' when it opened or added. */
  readonly closedQuantity: Decimal;
  /** The part of the fee that belongs to the closed part: by quantity. */
  readonly closingFee: Decimal;
  /** Signed, after the trade. */
  readonly quantity: Decimal;
}

/** A quantity with the sign of its side. */
export function signed(side: Side, quantity: Decimal): Decimal {
  return side === 'buy' ? quantity : neg(quantity);
}

/**
 * The signed value in settlement asset of `quantity` (signed, units of the instrument) at `price`, rounded once to
 * `scale` places: q·m·p for spot and linear, −q·m/p for inverse contracts.
 */
export function valueOf(instrument: Instrument, quantity: Decimal, price: Decimal, scale: number): Decimal {
  const { kind, multiplier } = instrument;
  const units = multiplier === '1' ? quantity : mul(quantity, multiplier);
  return kind === 'inverse' ? div(neg(units), price, scale) : ledger(mul(units, price), scale);
}

/** `amount` × part ÷ whole, rounded once; the whole part takes the whole amount, so nothing is left behind. */
export function share(amount: Decimal, part: Decimal, whole: Decimal, scale: number): Decimal {
  return amount === '0' || cmp(part, whole) === 0 ? amount : mulDiv(amount, part, whole, scale);
}

/** How much of a trade closes an existing position: at most its size, nothing when it has the same direction. */
export function closingQuantity(position: PositionState | undefined, side: Side, quantity: Decimal): Decimal {
  if (position === undefined || sign(position.quantity) > 0 === (side === 'buy')) return '0';
  const size = abs(position.quantity);
  return cmp(quantity, size) < 0 ? quantity : size;
}

/** Initial margin of an isolated position that costs `value`, or '0' in other margin modes. */
export function initialMargin(config: PortfolioConfig, value: Decimal, leverage: number): Decimal {
  return config.marginMode === 'isolated' ? div(abs(value), String(leverage), config.ledgerScale) : '0';
}

/**
 * Books a trade against a position. A partial close takes cost by quantity, the last one takes the rest; a flip closes
 * the old position and opens the new one at its own cost. Cash models pay for what they buy; a margin account pays or
 * gets the profit of what it closes. Either way cash + cost basis − realised profit + fees is what it was (cash
 * models), and so is cash − realised profit + fees (margin).
 */
export function bookTrade(
  config: PortfolioConfig,
  position: PositionState | undefined,
  trade: Trade,
  instrument: Instrument,
): Booking {
  const scale = config.ledgerScale;
  const closed = closingQuantity(position, trade.side, trade.quantity);
  const opened = sub(trade.quantity, closed);
  const closeValue = closed === '0' ? '0' : valueOf(instrument, signed(trade.side, closed), trade.price, scale);
  const openValue = opened === '0' ? '0' : valueOf(instrument, signed(trade.side, opened), trade.price, scale);
  const held = position === undefined ? '0' : position.quantity;
  const cost = position === undefined || closed === '0' ? '0' : share(position.costBasis, closed, abs(held), scale);
  const realisedPnl = closed === '0' ? '0' : neg(add(closeValue, cost));
  const flow = config.accountModel === 'margin' ? realisedPnl : neg(add(closeValue, openValue));
  return {
    realisedPnl,
    cashDelta: sub(flow, trade.fee),
    costBasisDelta: sub(openValue, cost),
    closedQuantity: closed,
    closingFee: closed === '0' ? '0' : share(trade.fee, closed, trade.quantity, scale),
    quantity: add(held, signed(trade.side, trade.quantity)),
  };
}
