import type { Outbox } from '../handler';
import { evolveOrder, isRefused, type Decision, type Emission } from '../order';
import {
  decideLiftHalt,
  decideRaiseHalt,
  decideRelease,
  evolvePortfolio,
  trackEquity,
  type ReleaseRequest,
} from '../portfolio';
import type { ExecutionConfig } from './config';
import { keepOrder, type ExecutionState } from './state';

/** The key under which global halts are decided: there is one owner of them. */
export const GLOBAL = 'global';
/** Source of the halts that the owner raises itself, when the books cannot be right any more. */
export const INTEGRITY = 'integrity';
const LONGEST_DETAIL = 1_000;

/** Everything that a decision needs. */
export interface Owner {
  readonly config: ExecutionConfig;
  readonly state: ExecutionState;
  readonly out: Outbox;
}

const ORDER_EVENTS: ReadonlySet<string> = new Set([
  'order.requested',
  'order.approved',
  'order.submitted',
  'order.outcome_unknown',
  'order.cancel_requested',
  'trade.placed',
  'trade.executed',
  'trade.rejected',
  'trade.cancelled',
  'trade.expired',
]);

/** Emits facts and folds them at once, so that the next decision of the same instant sees them. */
export function commit({ state, out }: Owner, emissions: readonly Emission[]): void {
  for (const emission of emissions) {
    out.emit(emission.type, emission.data as never);
    fold(state, emission);
  }
}

/** Folds a fact into the books: its own when it is emitted, foreign ones when they arrive. */
export function fold(state: ExecutionState, event: Emission): void {
  if (ORDER_EVENTS.has(event.type)) {
    const orderId = (event.data as { order_id: string }).order_id;
    keepOrder(state, evolveOrder(state.orders[orderId], event));
  } else if (state.portfolio !== null) {
    state.portfolio = evolvePortfolio(state.portfolio, event);
  }
}

/** Moves peak and day's figures on; cheap while nothing is held, because then only flows and fees move the equity. */
export function revalue({ state, out }: Owner): void {
  if (state.portfolio !== null) trackEquity(state.portfolio, state.prices.marks, out.now, state.tracker);
}

/** Commits what a decide function found. A refusal or an anomaly means that the books differ from the world: halt. */
export function commitOrHalt(owner: Owner, decision: Decision): void {
  if (isRefused(decision)) return haltForIntegrity(owner, decision.refused.code, decision.refused.message);
  commit(owner, decision.events);
  if (decision.anomaly) haltForIntegrity(owner, decision.anomaly.code, decision.anomaly.message);
}

export function releaseReservation(owner: Owner, request: Omit<ReleaseRequest, 'timestamp'>): void {
  if (owner.state.portfolio === null) return;
  const { orderId, reason, quantity } = request;
  commitOrHalt(owner, decideRelease(owner.state.portfolio, { orderId, reason, quantity, timestamp: owner.out.now }));
}

/** Halts the portfolio because a report contradicts the books; an operator, or a reconciliation, has to look. */
export function haltForIntegrity(owner: Owner, reason: string, detail: string): void {
  raiseHalt(owner, { source: INTEGRITY, reason, detail });
}

interface PortfolioHalt {
  source: string;
  reason: string;
  detail?: string;
}

/** Adds a halt of the portfolio; nothing when it stands already. */
export function raiseHalt(owner: Owner, halt: PortfolioHalt): void {
  const { state, out } = owner;
  const detail = halt.detail?.slice(0, LONGEST_DETAIL);
  const raised = {
    source: halt.source,
    scope: 'portfolio' as const,
    reason: halt.reason,
    ...(detail !== undefined && { detail }),
    timestamp: out.now,
  };
  if (state.portfolio === null) out.emit('halt.raised', { ...raised, portfolio: out.key });
  else commitOrHalt(owner, decideRaiseHalt(state.portfolio, raised));
}

/** Lifts what this source raised for this reason, and nothing else (rule 18). */
export function liftHalt(owner: Owner, source: string, reason: string): void {
  const { state, out } = owner;
  if (state.portfolio === null) return;
  commitOrHalt(owner, decideLiftHalt(state.portfolio, { source, scope: 'portfolio', reason, timestamp: out.now }));
}
