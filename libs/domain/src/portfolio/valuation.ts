import { findInstrument } from '../instruments';
import type { InstrumentLookup } from './evolve';
import { riskScore } from './risk-score';
import type { PortfolioState } from './state';
import { booksOf, type Books, type Line } from './valuation-books';
import {
  availableAt,
  leverageAt,
  nearestOf,
  placePositions,
  SCRATCH,
  sumUp,
  type PositionValue,
} from './valuation-sums';
import { drawdownFrom, track, type ValuationTracker } from './valuation-tracker';

export { LEVERAGE_WITHOUT_EQUITY, type PositionValue } from './valuation-sums';

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

/** What is asked of a portfolio at every price, and of one as it would be. */
export type Figures = Pick<
  Valuation,
  'equity' | 'grossExposure' | 'leverage' | 'drawdown' | 'dayDrawdown' | 'availableMargin' | 'positions'
>;

/** What `glance` answers, written over each time. */
const FIGURES: Figures = {
  ...{ equity: 0, grossExposure: 0, leverage: 0, drawdown: 0, dayDrawdown: 0, availableMargin: 0 },
  positions: [],
};
/** The positions of the last answer that had them; their places are used again. */
const PLACED: PositionValue[] = [];
const NOWHERE: PositionValue[] = [];

/**
 * Some of the same figures without an allocation: the answer is written over by the next call, so nobody may keep it.
 *
 * @param withPositions false leaves the positions out where none can be liquidated, in the cash models
 */
export function glance(
  state: PortfolioState,
  prices: Readonly<Record<string, number>>,
  now: number,
  tracker: ValuationTracker | null,
  withPositions: boolean,
): Readonly<Figures> {
  const read = booksOf(state, findInstrument, tracker);
  sumUp(read, prices, null);
  const { equity, grossExposure } = SCRATCH.totals;
  const isPlaced = withPositions || read.margining !== 'none';
  if (isPlaced) placePositions(PLACED, read);
  FIGURES.positions = isPlaced ? PLACED : NOWHERE;
  if (tracker !== null) track(tracker, equity, read.flows, now);
  FIGURES.equity = equity;
  FIGURES.grossExposure = grossExposure;
  FIGURES.leverage = grossExposure > 0 ? leverageAt(grossExposure, equity) : 0;
  FIGURES.drawdown = tracker === null ? 0 : drawdownFrom(tracker.peak, equity);
  FIGURES.dayDrawdown = tracker === null ? 0 : drawdownFrom(tracker.dayPeak, equity);
  FIGURES.availableMargin = availableAt(read);
  return FIGURES;
}

/**
 * Moves the tracker on by the equity at the given marks, and answers it; nothing else is worked out. How far it is below its
 * peaks, `drawdownFrom` tells of the tracker.
 */
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
