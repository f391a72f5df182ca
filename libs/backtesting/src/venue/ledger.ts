import { abs, add, cmp, div, ledger, mul, neg, sign, sub, type Decimal, type Instrument } from '@moon/domain';
import type { AccountState, PositionState } from './state';

/** How long changes of a position are remembered for a settlement that is announced late, ms. */
const HISTORY_MS = 60_000;
/** Settlement instants are whole seconds: of the changes after one and up to the next, the first is enough. */
const HISTORY_STEP_MS = 1_000;

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

interface Flow {
  /** Signed value of what was traded. */
  value: Decimal;
  realised: Decimal;
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
export function feeOf(
  account: AccountState,
  instrument: Instrument,
  fill: Omit<BookedFill, 'fee' | 'at'>,
  rate: Decimal,
): Decimal {
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
  const position = (account.positions[instrument.id] ??= flat(instrument.id));
  remember(position, fill.at);
  const held = abs(position.quantity);
  const isClosing = held !== '0' && sign(position.quantity) > 0 !== (fill.side === 'buy');
  const closing = !isClosing ? '0' : cmp(fill.quantity, held) < 0 ? fill.quantity : held;
  const opening = isClosing ? sub(fill.quantity, closing) : fill.quantity;
  const closingFee = closing === '0' ? '0' : portion(fill.fee, closing, fill.quantity, account.ledgerScale);
  const closed =
    closing === '0'
      ? { value: '0', realised: '0' }
      : close(account, instrument, position, part(fill, closing, closingFee));
  if (opening !== '0') {
    if (position.quantity === '0') startAnew(position);
    const fee = sub(fill.fee, closingFee);
    closed.value = add(closed.value, open(account, instrument, position, part(fill, opening, fee)));
  }
  const flow = account.accountModel === 'margin' ? closed.realised : neg(closed.value);
  account.cash = add(account.cash, sub(flow, fill.fee));
  account.realisedPnl = add(account.realisedPnl, closed.realised);
  account.fees = add(account.fees, fill.fee);
}

function part({ side, price, at }: BookedFill, quantity: Decimal, fee: Decimal): BookedFill {
  return { side, quantity, price, fee, at };
}

/** Takes cost and margin by quantity, the last part all of the rest; answers the signed value and the profit. */
function close(account: AccountState, instrument: Instrument, position: PositionState, fill: BookedFill): Flow {
  const { ledgerScale: scale } = account;
  const quantity = signedQuantity(fill.side, fill.quantity);
  const held = abs(position.quantity);
  const value = valueAt(instrument, quantity, fill.price, scale);
  const cost = portion(position.costBasis, fill.quantity, held, scale);
  const realised = neg(add(value, cost));
  position.margin = sub(position.margin, portion(position.margin, fill.quantity, held, scale));
  position.costBasis = sub(position.costBasis, cost);
  position.quantity = add(position.quantity, quantity);
  position.realisedPnl = add(position.realisedPnl, realised);
  position.fees = add(position.fees, fill.fee);
  return { value, realised };
}

/** Adds to a position or begins one; answers the signed value. */
function open(account: AccountState, instrument: Instrument, position: PositionState, fill: BookedFill): Decimal {
  const quantity = signedQuantity(fill.side, fill.quantity);
  const value = valueAt(instrument, quantity, fill.price, account.ledgerScale);
  position.quantity = add(position.quantity, quantity);
  position.costBasis = add(position.costBasis, value);
  position.fees = add(position.fees, fill.fee);
  if (account.marginMode === 'isolated') {
    position.margin = add(position.margin, isolatedMargin(account, instrument.id, value));
  }
  return value;
}

/** Margin that an isolated position of this value sets aside: |value| ÷ leverage. */
export function isolatedMargin(account: AccountState, instrument: string, value: Decimal): Decimal {
  return div(abs(value), String(account.leverage[instrument] ?? 1), account.ledgerScale);
}

/**
 * Funding that a position receives (below zero: pays) at a settlement: −value at the oracle price × rate, rounded
 * once; longs pay when the rate is positive (HyperLiquid docs, trading/funding: size × oracle price × rate).
 */
export function fundingOf(
  account: AccountState,
  instrument: Instrument,
  quantity: Decimal,
  oracle: Decimal,
  rate: Decimal,
): Decimal {
  const { ledgerScale: scale } = account;
  const units = mul(mul(quantity, instrument.multiplier), rate);
  if (instrument.kind === 'inverse') return neg(div(units, oracle, scale));
  return neg(ledger(mul(units, oracle), scale));
}

/**
 * Books funding on cash, and on the position if it is still on the side that it was on at the settlement: an isolated
 * one pays from its own margin.
 *
 * @param quantity signed quantity at the settlement
 */
export function bookFunding(account: AccountState, instrument: string, amount: Decimal, quantity: Decimal): void {
  account.cash = add(account.cash, amount);
  account.funding = add(account.funding, amount);
  const position = account.positions[instrument];
  if (!position || sign(position.quantity) !== sign(quantity)) return;
  position.funding = add(position.funding, amount);
  if (account.marginMode === 'isolated') position.margin = add(position.margin, amount);
}

/** Signed quantity that was held at `at` (a whole second), the changes of that very instant included; null when it is not known any more. */
export function quantityAt(position: PositionState, at: number): Decimal | null {
  if (at < position.knownFrom) return null;
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
    knownFrom: 0,
  };
}

/** Notes the quantity before a change. */
function remember(position: PositionState, at: number): void {
  const { history } = position;
  while (history[0] && history[0][0] <= at - HISTORY_MS) position.knownFrom = history.shift()?.[0] ?? 0;
  const newest = history[history.length - 1];
  const step = Math.ceil(at / HISTORY_STEP_MS);
  if (!newest || Math.ceil(newest[0] / HISTORY_STEP_MS) < step) history.push([at, position.quantity]);
}

/** The sums of a position count from when it was last flat. */
function startAnew(position: PositionState): void {
  position.costBasis = '0';
  position.margin = '0';
  position.realisedPnl = '0';
  position.fees = '0';
  position.funding = '0';
}
