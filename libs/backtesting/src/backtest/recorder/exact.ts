import { add, div, findInstrument, fromNumber, mul, neg, sub, type Decimal, type PortfolioState } from '@moon/domain';

/** A position at its mark, exact in decimals. */
export interface ExactValue {
  instrument: string;
  /** Signed, in settlement asset; at cost where no price is known. */
  value: Decimal;
  unrealisedPnl: Decimal;
}

/**
 * The signed value of a position at a price: q·m·p for spot and linear contracts, −q·m ÷ p for inverse ones. Products are
 * exact; a quotient is rounded once to the ledger's scale (rule 13).
 */
function valueAt(instrument: string, quantity: Decimal, price: number, scale: number): Decimal {
  const terms = findInstrument(instrument);
  if (!terms) throw new RangeError(`The position in ${instrument} cannot be valued: the instrument is not known.`);
  const units = mul(quantity, terms.multiplier);
  return terms.kind === 'inverse' ? div(neg(units), fromNumber(price), scale) : mul(units, fromNumber(price));
}

/** Every open position of a portfolio at the given marks (by instrument), in the order of their instruments. */
export function exactValues(state: PortfolioState, marks: Readonly<Record<string, number>>): ExactValue[] {
  return Object.values(state.positions)
    .sort((a, b) => (a.instrument < b.instrument ? -1 : 1))
    .map(({ instrument, quantity, costBasis }) => {
      const mark = marks[instrument];
      const value = mark === undefined ? costBasis : valueAt(instrument, quantity, mark, state.config.ledgerScale);
      return { instrument, value, unrealisedPnl: sub(value, costBasis) };
    });
}

/** Cash and positions at their marks: what a portfolio is worth, in decimals. Margin accounts have not paid for what they hold. */
export function exactEquity(state: PortfolioState, marks: Readonly<Record<string, number>>): Decimal {
  const isPaid = state.config.accountModel !== 'margin';
  return exactValues(state, marks).reduce(
    (sum, { value, unrealisedPnl }) => add(sum, isPaid ? value : unrealisedPnl),
    state.cash,
  );
}
