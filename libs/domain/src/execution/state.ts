import { orderHashView, type OrderState } from '../order';
import { createValuationTracker, portfolioHashView, type PortfolioState, type ValuationTracker } from '../portfolio';
import { createPriceBook, type LimitsConfig, type PriceBook } from '../risk';

/** Ended orders that are kept for late reports, and ids of orders that were refused before they became one. */
const KEPT = 128;

/** What the owner of one portfolio holds; plain JSON. For the key 'global' only `globalHalts` is used. */
export interface ExecutionState {
  /** null until `portfolio.opened`. */
  portfolio: PortfolioState | null;
  /** The portfolio's limits; null until it is opened. */
  bounds: LimitsConfig | null;
  /** Which instrument trades a token, in the order of the portfolio's configuration. */
  routes: { token: string; instrument: string; priceSource: string }[];
  prices: PriceBook;
  tracker: ValuationTracker;
  /** Every order that works, and the latest that have ended. */
  orders: Record<string, OrderState>;
  /** Ids of ended orders in `orders`, oldest first. */
  ended: string[];
  /** Ids that were refused before an order came of them, oldest first. */
  refused: string[];
  /** Event times (ms) of the orders approved within the last second. */
  approvedAt: number[];
  /** Number of the latest venue report. */
  venueSeq: number;
  globalHalts: { source: string; reason: string }[];
}

export function newExecutionState(): ExecutionState {
  return {
    portfolio: null,
    bounds: null,
    routes: [],
    prices: createPriceBook([]),
    tracker: createValuationTracker(),
    orders: {},
    ended: [],
    refused: [],
    approvedAt: [],
    venueSeq: 0,
    globalHalts: [],
  };
}

/** Whether this order id was decided before. */
export function isDecided(state: ExecutionState, orderId: string): boolean {
  return state.orders[orderId] !== undefined || state.refused.includes(orderId);
}

export function rememberRefused(state: ExecutionState, orderId: string): void {
  state.refused.push(orderId);
  if (state.refused.length > KEPT) state.refused.shift();
}

/** Notes that an order has ended and forgets the oldest ended one beyond what is kept. */
export function rememberEnded(state: ExecutionState, orderId: string): void {
  if (state.ended.includes(orderId)) return;
  state.ended.push(orderId);
  const oldest = state.ended.length > KEPT ? state.ended.shift() : undefined;
  if (oldest !== undefined) delete state.orders[oldest];
}

/** What the state hash sees (rule 6): books, orders, prices; no report numbers and nothing of the recovery path. */
export function executionHashView(state: ExecutionState): unknown {
  const orders = Object.fromEntries(Object.entries(state.orders).map(([id, order]) => [id, orderHashView(order)]));
  return {
    portfolio: state.portfolio && portfolioHashView(state.portfolio),
    orders,
    prices: state.prices,
    tracker: state.tracker,
    globalHalts: state.globalHalts,
  };
}
