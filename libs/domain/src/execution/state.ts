import { copyOfOrder, isTerminal, orderHashView, type OrderState } from '../order';
import { createValuationTracker, portfolioHashView, type PortfolioState, type ValuationTracker } from '../portfolio';
import { createPriceBook, type LimitsConfig, type PriceBook } from '../risk';

/** Ended orders that are kept for late reports of the venue. */
const KEPT_ENDED = 64;
/** Ids of orders that never left, kept so that none is decided twice. */
const KEPT_IDS = 128;

/** A halt of all portfolios. */
export interface GlobalHalt {
  source: string;
  reason: string;
}

/** What the owner of one portfolio holds; plain JSON. For the key 'global' only `globalHalts` and `foreignHalts` are used. */
export interface ExecutionState {
  /** null until `portfolio.opened`. */
  portfolio: PortfolioState | null;
  /** The portfolio's limits; null until it is opened. */
  bounds: LimitsConfig | null;
  /** Which instrument trades a token, in the order of the portfolio's configuration. */
  routes: { token: string; instrument: string; priceSource: string }[];
  prices: PriceBook;
  tracker: ValuationTracker;
  /** Every order that works, and the latest that were sent and have ended. */
  orders: Record<string, OrderState>;
  /** Ids of the working orders in `orders`, oldest first. */
  working: string[];
  /** Ids of ended orders in `orders`, oldest first. */
  ended: string[];
  /** Ids of orders that ended before they left: refused, or cancelled in time; oldest first. */
  unsent: string[];
  /** Event times (ms) of the orders approved within the last second. */
  approvedAt: number[];
  /** Number of the latest venue report. */
  venueSeq: number;
  globalHalts: GlobalHalt[];
  /** Global halts that owners in other shards keep, for portfolios that are opened here later; none in older states. */
  foreignHalts?: GlobalHalt[];
}

export function newExecutionState(): ExecutionState {
  return {
    portfolio: null,
    bounds: null,
    routes: [],
    prices: createPriceBook([]),
    tracker: createValuationTracker(),
    orders: {},
    working: [],
    ended: [],
    unsent: [],
    approvedAt: [],
    venueSeq: 0,
    globalHalts: [],
  };
}

/** Whether this order id was decided before. */
export function isDecided(state: ExecutionState, orderId: string): boolean {
  return state.orders[orderId] !== undefined || state.unsent.includes(orderId);
}

/** How many of the kept orders each approval has: found from the orders, and never part of the state. */
const approvals = new WeakMap<ExecutionState['orders'], Map<string, number>>();

/** Whether any of the kept orders came of this approval. */
export function hasApproval(state: ExecutionState, approvalId: string): boolean {
  return approvalsOf(state).has(approvalId);
}

function approvalsOf({ orders }: ExecutionState): Map<string, number> {
  let known = approvals.get(orders);
  if (known === undefined) {
    approvals.set(orders, (known = new Map()));
    for (const id in orders) countApproval(known, (orders[id] as OrderState).approvalId, 1);
  }
  return known;
}

function countApproval(counts: Map<string, number>, approvalId: string, by: 1 | -1): void {
  const count = (counts.get(approvalId) ?? 0) + by;
  if (count > 0) counts.set(approvalId, count);
  else counts.delete(approvalId);
}

function putOrder(state: ExecutionState, order: OrderState): void {
  if (state.orders[order.orderId] === undefined) countApproval(approvalsOf(state), order.approvalId, 1);
  state.orders[order.orderId] = order;
}

function dropOrder(state: ExecutionState, orderId: string): void {
  const order = state.orders[orderId];
  if (order === undefined) return;
  countApproval(approvalsOf(state), order.approvalId, -1);
  delete state.orders[orderId];
}

export function rememberUnsent(state: ExecutionState, orderId: string): void {
  state.unsent.push(orderId);
  if (state.unsent.length > KEPT_IDS) state.unsent.shift();
}

/**
 * Puts an order where it belongs: a working one as it is; one that has ended without its signed bytes, which nobody
 * will send again, for as long as late reports may come; of one that never left only the id.
 */
export function keepOrder(state: ExecutionState, order: OrderState): void {
  const { orderId } = order;
  if (!isTerminal(order.status)) {
    if (state.orders[orderId] === undefined) state.working.push(orderId);
    putOrder(state, order);
  } else if (order.attempt === 0 && order.venueOrderId === undefined) {
    dropOrder(state, orderId);
    forget(state.working, orderId);
    rememberUnsent(state, orderId);
  } else {
    const before = state.orders[orderId];
    putOrder(state, copyOfOrder(order, false));
    // Every ended order that is kept is among the ended ones already.
    if (before !== undefined && isTerminal(before.status)) return;
    forget(state.working, orderId);
    state.ended.push(orderId);
    const oldest = state.ended.length > KEPT_ENDED ? state.ended.shift() : undefined;
    if (oldest !== undefined) dropOrder(state, oldest);
  }
}

function forget(ids: string[], id: string): void {
  const index = ids.indexOf(id);
  if (index >= 0) ids.splice(index, 1);
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
