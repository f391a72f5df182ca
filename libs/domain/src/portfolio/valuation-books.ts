import { toNumber } from '../money';
import type { InstrumentLookup } from './evolve';
import { contractOf, type Contract } from './liquidation-price';
import { netFlows } from './queries';
import type { PortfolioState, PositionState } from './state';
import type { ValuationTracker } from './valuation-tracker';

/** How a position is margined: not at all, by what is set aside for it, or by the whole account. */
export type Margining = 'none' | 'isolated' | 'cross';

export interface Line {
  readonly instrument: string;
  readonly token: string;
  readonly contract: Contract;
  readonly quantity: number;
  /** Value at a price: units × price, or units ÷ price for inverse. */
  readonly units: number;
  readonly cost: number;
  readonly entry: number;
  readonly margin: number;
  readonly leverage: number;
}

/** A state in float64. */
export interface Books {
  readonly state: PortfolioState;
  readonly instruments: InstrumentLookup;
  readonly margining: Margining;
  readonly cash: number;
  readonly flows: number;
  readonly lines: readonly Line[];
}

/** What was read last for each tracker: states are immutable, so decimal strings are read once a state, not once a tick. */
const lastRead = new WeakMap<ValuationTracker, Books>();

/** A look ahead, which has no tracker, values a state that nobody asks for again: it is not remembered. */
export function booksOf(state: PortfolioState, instruments: InstrumentLookup, tracker: ValuationTracker | null): Books {
  const known = tracker === null ? undefined : lastRead.get(tracker);
  if (known !== undefined && known.state === state && known.instruments === instruments) return known;
  const read = readBooks(state, instruments);
  if (tracker !== null) lastRead.set(tracker, read);
  return read;
}

function readBooks(state: PortfolioState, instruments: InstrumentLookup): Books {
  const lines: Line[] = [];
  for (const instrument in state.positions)
    lines.push(lineOf(state.positions[instrument] as PositionState, instruments));
  // Sorted: a store need not keep the order of keys, and float64 sums depend on the order of their terms.
  if (lines.length > 1) lines.sort((a, b) => (a.instrument < b.instrument ? -1 : 1));
  return {
    state,
    instruments,
    margining: state.config.marginMode ?? 'none',
    cash: toNumber(state.cash),
    flows: toNumber(netFlows(state)),
    lines,
  };
}

function lineOf(position: PositionState, instruments: InstrumentLookup): Line {
  const { instrument, token, leverage } = position;
  const terms = instruments(instrument);
  if (terms === undefined)
    throw new RangeError(`The position in ${instrument} cannot be valued: the instrument is not known.`);
  const contract = contractOf(terms);
  const quantity = toNumber(position.quantity);
  const cost = toNumber(position.costBasis);
  const units = (contract.inverse ? -quantity : quantity) * contract.multiplier;
  const entry = contract.inverse ? units / cost : cost / units;
  return { instrument, token, contract, quantity, units, cost, entry, margin: toNumber(position.margin), leverage };
}
