import { abs, add, cmp, div, isZero, ledger, mul, neg, sign, sub, type Decimal, type Instrument } from '@moon/domain';
import type { AccountState, PositionState } from './state';

/** How long changes of a position are remembered for a settlement that is announced late, ms. */
const HISTORY_MS = 60_000;

/**
 * The venue's own books: kept from its own fills by its own arithmetic, so that comparing them with the platform's
 * ledger means something. Amounts are rounded once, half-even, to the account's ledger scale (rule 13).
 */
export interface BookedFill {
  side: 'buy' | 'sell';
  quantity: Decimal;
  price: Decimal;
  /** In settlement asset, rounded. */
  fee: Decimal;
  at: number;
}

/** A quantity with the sign of its side. */
export function signedQuantity(side: 'buy' | 'sell', quantity: Decimal): Decimal {
  return side === 'buy' ? quantity : neg(quantity);
}

/** Signed value of a signed quantity at a price, exact for spot and linear: q·m·p; inverse: −q·m÷p to `scale` places. */
export function valueAt(instrument: Instrument, quantity: Decimal, price: Decimal, scale: number): Decimal {
  const units = instrument.multiplier === '1' ? quantity : mul(quantity, instrument.multiplier);
  if (instrument.kind === 'inverse') return div(neg(units), price, scale);
  return ledger(mul(units, price), scale);
}

/** |value| × rate, rounded once. */
export function feeOf(account: AccountState, instrument: Instrument, fill: Omit<BookedFill, 'fee' | 'at'>, rate: Decimal): Decimal {
  const units = mul(mul(fill.quantity, instrument.multiplier), rate);
  if (instrument.kind === 'inverse') return div(units, fill.price, account.ledgerScale);
  return ledger(mul(units, fill.price), account.ledgerScale);
}

/** `amount` × part ÷ whole, rounded once; the whole part takes all of it, so that nothing is left behind. */
function portion(amount: Decimal, part: Decimal, whole: Decimal, scale: number): Decimal {
  if (amount === '0' || cmp(part, whole) === 0) return amount;
  return div(mul(amount, part), whole, scale);
}

/**
 * Books a fill: position, cost, profit, fee and cash. A fill beyond the position closes it and opens the other side,
 * each at its own value. Cash accounts pay for what they buy and get what they sell; margin accounts settle the profit.
 */
export function bookFill(account: AccountState, instrument: Instrument, fill: BookedFill): void {
  const { ledgerScale: scale } = account;
  const before = account.positions[instrument.id] ?? flat(instrument.id);
  const held = abs(before.quantity);
  const isClosing = !isZero(before.quantity) && sign(before.quantity) > 0 !== (fill.side === 'buy');
  const closing = !isClosing ? '0' : cmp(fill.quantity, held) < 0 ? fill.quantity : held;
  const opening = isClosing ? sub(fill.quantity, closing) : fill.quantity;
  let flow: Decimal = '0';
  let realised: Decimal = '0';
  let position = remember(before, fill.at);
  if (closing !== '0') {
    const value = valueAt(instrument, signedQuantity(fill.side, closing), fill.price, scale);
    const cost = portion(position.costBasis, closing, held, scale);
    realised = neg(add(value, cost));
    flow = value;
    position.quantity = add(position.quantity, signedQuantity(fill.side, closing));
    position.costBasis = sub(position.costBasis, cost);
    position.margin = sub(position.margin, portion(position.margin, closing, held, scale));
    position.realisedPnl = add(position.realisedPnl, realised);
  }
  let openingFee = fill.fee;
  if (closing !== '0') {
    const closingFee = portion(fill.fee, closing, fill.quantity, scale);
    position.fees = add(position.fees, closingFee);
    openingFee = sub(fill.fee, closingFee);
  }
  if (opening !== '0') {
    if (closing !== '0') position = { ...flat(instrument.id), history: position.history };
    const value = valueAt(instrument, signedQuantity(fill.side, opening), fill.price, scale);
    flow = add(flow, value);
    position.quantity = add(position.quantity, signedQuantity(fill.side, opening));
    position.costBasis = add(position.costBasis, value);
    position.fees = add(position.fees, openingFee);
    if (account.marginMode === 'isolated') {
      position.margin = add(position.margin, isolatedMargin(account, instrument.id, value));
    }
  }
  account.positions[instrument.id] = position;
  const delta = account.accountModel === 'margin' ? realised : neg(flow);
  account.cash = add(account.cash, sub(delta, fill.fee));
  account.realisedPnl = add(account.realisedPnl, realised);
  account.fees = add(account.fees, fill.fee);
}

/** Margin that an isolated position of this value sets aside: |value| ÷ leverage. */
export function isolatedMargin(account: AccountState, instrument: string, value: Decimal): Decimal {
  return div(abs(value), String(account.leverage[instrument] ?? 1), account.ledgerScale);
}

/**
 * Funding that a position receives (below zero: pays) at a settlement: −value at the oracle price × rate, rounded
 * once; longs pay when the rate is positive (HyperLiquid docs, trading/funding: size × oracle price × rate).
 */
export function fundingOf(account: AccountState, instrument: Instrument, quantity: Decimal, oracle: Decimal, rate: Decimal): Decimal {
  const { ledgerScale: scale } = account;
  const units = mul(mul(quantity, instrument.multiplier), rate);
  if (instrument.kind === 'inverse') return neg(div(units, oracle, scale));
  return neg(ledger(mul(units, oracle), scale));
}

/** Books funding on cash and on the position, if it is still there; an isolated position pays from its own margin. */
export function bookFunding(account: AccountState, instrument: string, amount: Decimal): void {
  account.cash = add(account.cash, amount);
  account.funding = add(account.funding, amount);
  const position = account.positions[instrument];
  if (!position || position.quantity === '0') return;
  position.funding = add(position.funding, amount);
  if (account.marginMode === 'isolated') position.margin = add(position.margin, amount);
}

/** Signed quantity that was held at `at`, the changes of that very instant included. */
export function quantityAt(position: PositionState, at: number): Decimal {
  const later = position.history.find(([changedAt]) => changedAt > at);
  return later ? later[1] : position.quantity;
}

export function flat(instrument: string): PositionState {
  return {
    instrument,
    quantity: '0',
    costBasis: '0',
    margin: '0',
    realisedPnl: '0',
    fees: '0',
    funding: '0',
    history: [],
  };
}

/** A copy to change, with the quantity before the change noted; a flat position starts its sums anew. */
function remember(position: PositionState, at: number): PositionState {
  const history = position.history.filter(([changedAt]) => changedAt > at - HISTORY_MS);
  history.push([at, position.quantity]);
  return position.quantity === '0' ? { ...flat(position.instrument), history } : { ...position, history };
}
