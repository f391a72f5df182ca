import { add, DEFAULT_LEDGER_SCALE, num15, roundTo, toNumber, valuation, type ExecutionState } from '@moon/domain';
import type { Engine } from '../core/engine';
import { stateHash } from '../core/state-hash';
import type { EventStore } from '../ports/event-store';
import type { VenueBooks } from '../ports/venue';
import { differences } from '../venue-link/reconciler';
import type { VenueLink } from '../venue-link/venue-link';
import { executionState } from './assemble';

/** One portfolio at the end of a run. Ledger amounts are decimal strings in its settlement asset. */
export interface PortfolioResult {
  name: string;
  cash: string;
  realisedPnl: string;
  fees: string;
  funding: string;
  /** Marked to the last prices. */
  equity: number;
  positions: Array<{ instrument: string; quantity: string; unrealisedPnl: number }>;
  halts: string[];
}

/** What a run prints as its last line with `--json`. */
export interface RunResult {
  run: string;
  events: number;
  eventsByType: Record<string, number>;
  refusedByReason: Record<string, number>;
  orders: number;
  fills: number;
  realisedPnl: string;
  fees: string;
  funding: string;
  equity: number;
  portfolios: PortfolioResult[];
  /** What the venue's own books say otherwise than the portfolios, in sentences; empty when they agree. */
  venueDifferences: string[];
  stateHash: string;
}

export interface ResultSources {
  run: string;
  store: EventStore;
  engine: Engine;
  link: VenueLink;
  portfolios: readonly string[];
  refusedByReason: Readonly<Record<string, number>>;
  /** Hash views of agents that live in other threads. */
  remoteViews?: Record<string, unknown>;
}

/** Reads the end of a run from the log, the owner's folds and the venue's books. Everything must be stored before. */
export async function runResult(sources: ResultSources): Promise<RunResult> {
  const { run, store, engine } = sources;
  const eventsByType = await store.countsByType();
  const portfolios = sources.portfolios.map((name) => portfolioResult(name, executionState(engine, name), engine.now));
  const total = (field: 'realisedPnl' | 'fees' | 'funding'): string =>
    portfolios.reduce((sum, portfolio) => add(sum, portfolio[field]), '0');
  return {
    run,
    events: Object.values(eventsByType).reduce((sum, count) => sum + count, 0),
    eventsByType,
    refusedByReason: { ...sources.refusedByReason },
    orders: eventsByType['order.requested'] ?? 0,
    fills: eventsByType['trade.executed'] ?? 0,
    realisedPnl: total('realisedPnl'),
    fees: total('fees'),
    funding: total('funding'),
    equity: num15(portfolios.reduce((sum, portfolio) => sum + portfolio.equity, 0)),
    portfolios,
    venueDifferences: await differencesOf(sources),
    stateHash: await hashOf(sources),
  };
}

async function differencesOf({ engine, link, portfolios }: ResultSources): Promise<string[]> {
  const found: string[] = [];
  for (const name of portfolios) {
    const fold = executionState(engine, name)?.portfolio;
    if (fold)
      found.push(...differences(fold, await link.venue.books(name)).map((difference) => `${name}: ${difference}`));
  }
  return found;
}

/** The state hash of rule 6 over this process's handlers, the agents' threads and the venue's books. */
export async function hashOf({
  engine,
  link,
  portfolios,
  remoteViews,
}: Omit<ResultSources, 'store' | 'run' | 'refusedByReason'>): Promise<string> {
  const venues: Record<string, unknown> = {};
  for (const portfolio of portfolios) venues[portfolio] = booksView(await link.venue.books(portfolio));
  return stateHash({ handlers: { ...engine.host.hashViews(), ...remoteViews }, venues });
}

/** Books without what depends on attempts and on the way of a recovery. */
function booksView({ cash, realisedPnl, fees, funding, positions, openOrders }: VenueBooks): Record<string, unknown> {
  const orders = openOrders.map(
    ({ orderId, instrument, side, orderType, quantity, filledQuantity, limitPrice, stopPrice, reduceOnly }) => {
      return { orderId, instrument, side, orderType, quantity, filledQuantity, limitPrice, stopPrice, reduceOnly };
    },
  );
  return { cash, realisedPnl, fees, funding, positions, openOrders: orders };
}

function portfolioResult(name: string, state: ExecutionState | undefined, now: number): PortfolioResult {
  const portfolio = state?.portfolio;
  if (!state || !portfolio) throw new Error(`Portfolio "${name}" was never opened: its log has no portfolio.opened.`);
  const value = valuation(portfolio, state.prices.marks, now, null);
  const positions = value.positions.map(({ instrument, unrealisedPnl }) => {
    return {
      instrument,
      quantity: portfolio.positions[instrument]?.quantity ?? '0',
      unrealisedPnl: num15(unrealisedPnl),
    };
  });
  return {
    name,
    cash: portfolio.cash,
    realisedPnl: portfolio.realisedPnl,
    fees: portfolio.fees,
    funding: portfolio.funding,
    equity: num15(toNumber(roundTo(value.equity.toFixed(DEFAULT_LEDGER_SCALE), 8, 'half-even'))),
    positions,
    halts: portfolio.halts.map((halt) => `${halt.source}: ${halt.reason}`),
  };
}
