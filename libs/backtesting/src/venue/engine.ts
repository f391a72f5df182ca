import type { AnyEvent } from '@moon/events';
import type { AccountSpec, SignedCancel, SignedOrder, VenueBooks, VenueOrderStatus, VenueReport } from '@moon/kernel';
import { booksOf, openAccount, statusOf } from './accounts';
import { schedule, takeDue } from './agenda';
import { completeVenueConfig, type PartialVenueConfig } from './config';
import { createContext, type VenueContext } from './context';
import { judge } from './liquidation';
import { takeMarket } from './market';
import { createVenueModels, type VenueModels } from './models';
import { arrive, arriveCancel, dispatchOrder, receiveCancel, receiveOrder } from './orders';
import { release, reportsAfter, requireAccount } from './reports';
import { completeState, initialVenueState, type VenueState } from './state';

/**
 * The one matching and margin engine (rule 22): a pure, deterministic machine. Its outputs depend on its configuration
 * and on its inputs in their order only; it has no clock (its time is the inputs') and no randomness.
 *
 * Reports come out when they reach the platform. A call answers all reports that became due by it.
 */
export interface VenueEngine {
  /** Venue time, ms: the highest that any input named. */
  readonly time: number;
  openAccount(spec: AccountSpec): void;
  /** Fires what is due until the event's time, then takes the event. */
  market(event: AnyEvent): VenueReport[];
  advanceTo(ms: number): VenueReport[];
  nextDueAt(): number | null;
  /** @param rejectWith turns the order down with this code when it arrives, for tests of the platform */
  submit(order: SignedOrder, rejectWith?: string): VenueReport[];
  cancel(request: SignedCancel): VenueReport[];
  query(portfolio: string, clientOrderId: string): VenueOrderStatus;
  /** @throws VenueRefused `reports_gone` when they are no longer in memory */
  reportsSince(portfolio: string, venueSeq: number): VenueReport[];
  books(portfolio: string): VenueBooks;
  /** Names of all accounts, in order of opening. */
  portfolios(): string[];
  /** The state itself, for hashing: not to be changed. */
  state(): Readonly<VenueState>;
  /** A copy of the whole state: plain JSON, from which `createVenueEngine` goes on as if nothing had happened. */
  snapshot(): VenueState;
}

export interface VenueEngineOptions {
  snapshot?: VenueState;
  /** Replaces models by other implementations of the same interfaces. */
  models?: Partial<VenueModels>;
}

/** Nothing happened: the usual answer to a market event, not made anew each time. */
const NOTHING: VenueReport[] = Object.freeze([]) as unknown as VenueReport[];

/** @throws Error when the configuration does not fit its schema */
export function createVenueEngine(config: PartialVenueConfig = {}, options: VenueEngineOptions = {}): VenueEngine {
  const whole = completeVenueConfig(config);
  const state = options.snapshot ? structuredClone(options.snapshot) : initialVenueState();
  completeState(state);
  const context = createContext(whole, { ...createVenueModels(whole), ...options.models }, state);

  return {
    get time() {
      return state.time;
    },
    openAccount: (spec) => openAccount(context, spec),
    market(event) {
      runTo(context, event.occurredAt);
      takeMarket(context, event);
      return collect(context);
    },
    advanceTo(ms) {
      runTo(context, ms);
      return collect(context);
    },
    nextDueAt: () => state.agenda[0]?.at ?? null,
    submit(order, rejectWith) {
      const received = receiveOrder(context, order);
      runTo(context, received.sentAt);
      // The code is where a rejection will find it; a pending order shows none.
      if (rejectWith !== undefined) received.state.code = rejectWith;
      dispatchOrder(context, received.state, received.arrival);
      return collect(context);
    },
    cancel(request) {
      const { arrival, sentAt } = receiveCancel(context, request);
      runTo(context, sentAt);
      const { portfolio, clientOrderId } = request;
      const due = { portfolio, clientOrderId, orderId: request.orderId ?? null };
      if (arrival <= state.time) arriveCancel(context, due);
      else schedule(state, { at: arrival, kind: 'cancel', ...due });
      return collect(context);
    },
    query: (portfolio, clientOrderId) => statusOf(context, portfolio, clientOrderId),
    reportsSince: (portfolio, venueSeq) => reportsAfter(requireAccount(context, portfolio), venueSeq),
    books: (portfolio) => booksOf(context, portfolio),
    portfolios: () => Object.keys(state.accounts),
    state: () => state,
    snapshot: () => structuredClone(state),
  };
}

/** Fires everything due until `ms`, each at its own time, and moves venue time there. Time never runs backwards. */
function runTo(context: VenueContext, ms: number): void {
  const { state } = context;
  for (let due = takeDue(state, ms); due !== undefined; due = takeDue(state, ms)) {
    state.time = Math.max(state.time, due.at);
    switch (due.kind) {
      case 'order':
        arrive(context, due.order);
        break;
      case 'cancel':
        arriveCancel(context, due);
        break;
      case 'report':
        release(context, due.report);
        break;
      case 'judge':
        judge(context, requireAccount(context, due.portfolio));
        break;
    }
  }
  state.time = Math.max(state.time, ms);
}

function collect(context: VenueContext): VenueReport[] {
  if (context.out.length === 0) return NOTHING;
  const reports = context.out;
  context.out = [];
  return reports;
}
