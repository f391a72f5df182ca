import { findInstrument } from '../instruments';
import { toNumber } from '../money';
import type { InstrumentLookup } from './evolve';
import { contractOf, liquidationRoot, maintenanceOf, type Contract } from './liquidation-price';
import { netFlows } from './queries';
import { riskScore } from './risk-score';
import type { PortfolioState, PositionState } from './state';
import { drawdownFrom, track, type ValuationTracker } from './valuation-tracker';

/** A position at its mark; amounts in settlement asset, float64. */
export interface PositionValue {
  instrument: string;
  token: string;
  /** Signed, units of the instrument. */
  quantity: number;
  averagePrice: number;
  /** The price that values it; the average price when none is known. */
  mark: number;
  /** |value|. */
  exposure: number;
  unrealisedPnl: number;
  /** Isolated: the margin set aside; cross: exposure ÷ leverage; cash models: 0. */
  margin: number;
  maintenance: number;
  /** null when no positive price liquidates it. */
  liquidationPrice: number | null;
  /** |mark − liquidation price| ÷ mark (rule 19); 0 once the mark is past it. */
  distance: number | null;
}

/** A portfolio at the marks of one instant; amounts in settlement asset, float64. */
export interface Valuation {
  /** Epoch ms. */
  at: number;
  cash: number;
  equity: number;
  unrealisedPnl: number;
  /** Σ |value|. */
  grossExposure: number;
  /** Σ value in terms of the underlying: long − short. */
  netExposure: number;
  /** Gross exposure ÷ equity; LEVERAGE_WITHOUT_EQUITY when there is exposure and no equity. */
  leverage: number;
  /** Fraction below the flow-adjusted peak; 0 without a tracker. */
  drawdown: number;
  /** The same since the UTC day began. */
  dayDrawdown: number;
  /** Change of equity since the UTC day began, less the day's flows; 0 without a tracker. */
  dailyPnl: number;
  marginUsed: number;
  maintenance: number;
  /** Equity − margin used; cash models: cash. */
  availableMargin: number;
  /** 0–100, see `riskScore`. */
  riskScore: number;
  positions: PositionValue[];
  /** Instruments without a price: valued at cost. */
  unpriced: string[];
}

/** What leverage says when there is exposure and no equity behind it: JSON knows no infinity. */
export const LEVERAGE_WITHOUT_EQUITY = 1_000_000;

/** How a position is margined: not at all, by what is set aside for it, or by the whole account. */
type Margining = 'none' | 'isolated' | 'cross';

interface Line {
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
interface Books {
  readonly state: PortfolioState;
  readonly instruments: InstrumentLookup;
  readonly margining: Margining;
  readonly cash: number;
  readonly flows: number;
  readonly lines: readonly Line[];
}

/** Sums over the positions at one set of marks. */
interface Totals {
  equity: number;
  unrealisedPnl: number;
  grossExposure: number;
  netExposure: number;
  largest: number;
  marginUsed: number;
  maintenance: number;
}

/** What was read last for each tracker: states are immutable, so decimal strings are read once a state, not once a tick. */
const lastRead = new WeakMap<ValuationTracker, Books>();

/** A look ahead, which has no tracker, values a state that nobody asks for again: it is not remembered. */
function booksOf(state: PortfolioState, instruments: InstrumentLookup, tracker: ValuationTracker | null): Books {
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

/**
 * Values a portfolio at the given marks (by instrument id): equity, exposure, leverage, drawdown, liquidation prices.
 * Float64, one to two microseconds for 20 positions; ledger amounts are never computed here.
 *
 * @param now epoch ms; the UTC day it falls in decides the day's figures
 * @param tracker remembers peak and day between calls and is moved on; null for a look ahead that leaves no trace
 */
export function valuation(
  state: PortfolioState,
  prices: Readonly<Record<string, number>>,
  now: number,
  tracker: ValuationTracker | null,
  instruments: InstrumentLookup = findInstrument,
): Valuation {
  return valueInto(newValuation(), booksOf(state, instruments, tracker), prices, now, tracker);
}

/**
 * The same figures without an allocation: the answer is written over by the next call, so nobody may keep it. For what is asked at every price.
 */
export function glance(
  state: PortfolioState,
  prices: Readonly<Record<string, number>>,
  now: number,
  tracker: ValuationTracker | null,
): Readonly<Valuation> {
  const read = booksOf(state, findInstrument, tracker);
  return valueInto(VIEW, read, prices, now, tracker);
}

/** Moves the tracker on by the equity at the given marks, and answers it; nothing else is worked out. */
export function trackEquity(
  state: PortfolioState,
  prices: Readonly<Record<string, number>>,
  now: number,
  tracker: ValuationTracker,
): number {
  const { lines, margining, cash, flows } = booksOf(state, findInstrument, tracker);
  let equity = cash;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as Line;
    const price = prices[line.instrument];
    const mark = price !== undefined && price > 0 ? price : line.entry;
    const value = line.contract.inverse ? line.units / mark : line.units * mark;
    equity += margining === 'none' ? value : value - line.cost;
  }
  track(tracker, equity, flows, now);
  return equity;
}

function newValuation(): Valuation {
  return {
    at: 0,
    cash: 0,
    equity: 0,
    unrealisedPnl: 0,
    grossExposure: 0,
    netExposure: 0,
    leverage: 0,
    drawdown: 0,
    dayDrawdown: 0,
    dailyPnl: 0,
    marginUsed: 0,
    maintenance: 0,
    availableMargin: 0,
    riskScore: 0,
    positions: [],
    unpriced: [],
  };
}

/** What `glance` answers, written over each time. */
const VIEW = newValuation();

/** Room for what is worked out at one set of marks; used within one call only. */
const SCRATCH = {
  marks: [] as number[],
  values: [] as number[],
  maintenances: [] as number[],
  totals: {
    equity: 0,
    unrealisedPnl: 0,
    grossExposure: 0,
    netExposure: 0,
    largest: 0,
    marginUsed: 0,
    maintenance: 0,
  } satisfies Totals as Totals,
};

function valueInto(
  into: Valuation,
  read: Books,
  prices: Readonly<Record<string, number>>,
  now: number,
  tracker: ValuationTracker | null,
): Valuation {
  if (into.unpriced.length > 0) into.unpriced.length = 0;
  sumUp(read, prices, into.unpriced);
  const { totals } = SCRATCH;
  const { equity, grossExposure } = totals;
  placePositions(into.positions, read);
  if (tracker !== null) track(tracker, equity, read.flows, now);
  into.at = now;
  into.cash = read.cash;
  into.equity = equity;
  into.unrealisedPnl = totals.unrealisedPnl;
  into.grossExposure = grossExposure;
  into.netExposure = totals.netExposure;
  into.leverage = grossExposure > 0 ? leverageAt(grossExposure, equity) : 0;
  into.drawdown = tracker === null ? 0 : drawdownFrom(tracker.peak, equity);
  into.dayDrawdown = tracker === null ? 0 : drawdownFrom(tracker.dayPeak, equity);
  into.dailyPnl = tracker === null ? 0 : equity - tracker.dayStartEquity - (read.flows - tracker.dayStartFlows);
  into.marginUsed = totals.marginUsed;
  into.maintenance = totals.maintenance;
  into.availableMargin = availableAt(read);
  into.riskScore = riskScore({
    leverage: into.leverage,
    nearestDistance: nearestOf(into.positions),
    drawdown: into.drawdown,
    concentration: grossExposure > 0 ? totals.largest / grossExposure : 0,
  });
  return into;
}

function sumUp(read: Books, prices: Readonly<Record<string, number>>, unpriced: string[]): void {
  const { lines, margining } = read;
  const { marks, values, maintenances, totals } = SCRATCH;
  let equity = read.cash;
  let unrealisedPnl = 0;
  let grossExposure = 0;
  let netExposure = 0;
  let largest = 0;
  let marginUsed = 0;
  let maintenance = 0;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as Line;
    const price = prices[line.instrument];
    const known = price !== undefined && price > 0;
    if (!known) unpriced.push(line.instrument);
    const mark = known ? price : line.entry;
    const value = line.contract.inverse ? line.units / mark : line.units * mark;
    const exposure = value < 0 ? -value : value;
    marks[index] = mark;
    values[index] = value;
    unrealisedPnl += value - line.cost;
    equity += margining === 'none' ? value : value - line.cost;
    grossExposure += exposure;
    netExposure += line.quantity > 0 ? exposure : -exposure;
    if (exposure > largest) largest = exposure;
    if (margining === 'none') continue;
    const needed = maintenanceOf(line.contract, exposure);
    maintenances[index] = needed;
    maintenance += needed;
    marginUsed += marginAt(line, exposure, margining);
  }
  totals.equity = equity;
  totals.unrealisedPnl = unrealisedPnl;
  totals.grossExposure = grossExposure;
  totals.netExposure = netExposure;
  totals.largest = largest;
  totals.marginUsed = marginUsed;
  totals.maintenance = maintenance;
}

/** Writes every position into the list, whose entries are used again when it has them. */
function placePositions(positions: PositionValue[], read: Books): void {
  const { lines, margining } = read;
  const { marks, values, maintenances, totals } = SCRATCH;
  if (positions.length > lines.length) positions.length = lines.length;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as Line;
    const mark = marks[index] as number;
    const value = values[index] as number;
    const maintenance = margining === 'none' ? 0 : (maintenances[index] as number);
    const exposure = value < 0 ? -value : value;
    const unrealisedPnl = value - line.cost;
    // The account without this position's profit, less what the others need, stands behind a cross position.
    const behind =
      margining === 'isolated' ? line.margin : totals.equity - unrealisedPnl - (totals.maintenance - maintenance);
    const price = margining === 'none' ? null : liquidatedAt(line, mark, behind);
    const position = (positions[index] ??= newPosition());
    position.instrument = line.instrument;
    position.token = line.token;
    position.quantity = line.quantity;
    position.averagePrice = line.entry;
    position.mark = mark;
    position.exposure = exposure;
    position.unrealisedPnl = unrealisedPnl;
    position.margin = marginAt(line, exposure, margining);
    position.maintenance = maintenance;
    position.liquidationPrice = price;
    position.distance = price === null ? null : distanceTo(price, mark, line.quantity > 0);
  }
}

function newPosition(): PositionValue {
  return {
    instrument: '',
    token: '',
    quantity: 0,
    averagePrice: 0,
    mark: 0,
    exposure: 0,
    unrealisedPnl: 0,
    margin: 0,
    maintenance: 0,
    liquidationPrice: null,
    distance: null,
  };
}

function marginAt(line: Line, exposure: number, margining: Margining): number {
  if (margining === 'none') return 0;
  return margining === 'isolated' ? line.margin : exposure / line.leverage;
}

/** null: at no price. The mark itself when there is nothing left to lose: liquidated at every price. */
function liquidatedAt(line: Line, mark: number, behind: number): number | null {
  const root = liquidationRoot(line.contract, line.quantity, line.cost, behind);
  if (line.quantity > 0 ? root <= 0 : root === Number.POSITIVE_INFINITY) return null;
  return root > 0 && root < Number.POSITIVE_INFINITY ? root : mark;
}

function distanceTo(liquidation: number, mark: number, long: boolean): number {
  const way = long ? mark - liquidation : liquidation - mark;
  return way > 0 ? way / mark : 0;
}

function availableAt(read: Books): number {
  const { totals } = SCRATCH;
  if (read.margining === 'none') return read.cash;
  // An isolated position's profit backs that position alone.
  const own = read.margining === 'isolated' ? read.cash : totals.equity;
  return own - totals.marginUsed;
}

function leverageAt(exposure: number, equity: number): number {
  return equity > 0 ? Math.min(exposure / equity, LEVERAGE_WITHOUT_EQUITY) : LEVERAGE_WITHOUT_EQUITY;
}

function nearestOf(positions: readonly PositionValue[]): number | null {
  let nearest: number | null = null;
  for (const { distance } of positions) {
    if (distance !== null && (nearest === null || distance < nearest)) nearest = distance;
  }
  return nearest;
}
