import type { AnyEvent, EventEnvelope } from '@moon/events';
import { completeConfig, isWarmup, type PartialConfig } from '../agent-kit';
import type { Handler, Outbox } from '../handler';
import { sign } from '../money';
import {
  createValuationTracker,
  evolvePortfolio,
  signedQuantity,
  valuation,
  type PortfolioState,
  type ValuationTracker,
} from '../portfolio';
import { createPriceBook, foldPrice, type PriceBook } from '../risk';
import { portfolioProjectionConfigSchema, type PortfolioProjectionConfig } from './config';
import { deltaOf, viewOf, type PortfolioView } from './portfolio-view';

const SNAPSHOT = 'snapshot';

/** What the projection keeps of one portfolio; plain JSON. */
export interface PortfolioProjectionState {
  portfolio: PortfolioState | null;
  prices: PriceBook;
  tracker: ValuationTracker;
  /** What was last published, by snapshot or deltas; null = nothing yet. */
  published: PortfolioView | null;
  /** Rises by one with every state.changed. */
  version: number;
  /** Event time (ms) of the last state.changed. */
  changedAt: number;
  /** Equity of the last snapshot; null = none yet. */
  snapshotEquity: number | null;
  /** Whether the deadline of the next snapshot is set. */
  isSnapshotDue: boolean;
}

interface Projection {
  readonly config: PortfolioProjectionConfig;
  readonly state: PortfolioProjectionState;
  readonly out: Outbox;
}

/**
 * Read model of portfolios (EVT-4): `state.changed` with the delta on every booked change, and at most once a second
 * (of event time) while only prices move; `state.snapshot` every five minutes (a durable deadline) as long as anything
 * happens, and at once when a position is opened, closed or flipped, when trading is halted or released, and when the
 * equity has moved by more than a hundredth since the last one.
 */
export function createPortfolioProjection(
  given: PartialConfig<PortfolioProjectionConfig> = {},
): Handler<PortfolioProjectionState> {
  const config = completeConfig('portfolio projection', portfolioProjectionConfigSchema, given);
  return {
    name: 'projection/portfolio',
    role: 'projection',
    partitionedBy: 'portfolio',
    consumes: [
      'portfolio.opened',
      'portfolio.deposited',
      'portfolio.withdrawn',
      'portfolio.position_opened',
      'portfolio.fill_booked',
      'portfolio.funding_booked',
    ],
    broadcast: ['price.tick', 'bar.opened', 'bar.closed', 'halt.raised', 'halt.lifted'],
    initialState: () => ({
      portfolio: null,
      prices: createPriceBook([]),
      tracker: createValuationTracker(),
      published: null,
      version: 0,
      changedAt: 0,
      snapshotEquity: null,
      isSnapshotDue: false,
    }),
    handle: (event, state, out) => handle(event, { config, state, out }),
    hashView: ({ portfolio, published }) => ({ portfolio, published }),
  };
}

function handle(event: AnyEvent, projection: Projection): void {
  switch (event.type) {
    case 'price.tick':
    case 'bar.opened':
    case 'bar.closed':
      return onPrice(event, projection);
    case 'portfolio.opened':
      setSnapshotDeadline(projection);
      return onOpened(event, projection);
    case 'portfolio.deposited':
    case 'portfolio.withdrawn':
      return onBooked(event, projection, null);
    case 'portfolio.position_opened':
    case 'portfolio.fill_booked':
    case 'portfolio.funding_booked':
      return onBooked(event, projection, event.data.instrument);
    case 'halt.raised':
    case 'halt.lifted':
      return onHalt(event, projection);
    case 'deadline.reached':
      return event.data.name === SNAPSHOT ? onSnapshotDue(projection) : undefined;
    default:
      return;
  }
}

function onOpened(event: EventEnvelope<'portfolio.opened'>, projection: Projection): void {
  const { state } = projection;
  if (state.portfolio !== null) return;
  state.portfolio = evolvePortfolio(undefined, event);
  state.prices = createPriceBook(event.data.instruments);
  publish(projection, viewNow(projection), true);
}

function onBooked(event: AnyEvent, projection: Projection, instrument: string | null): void {
  const { state } = projection;
  if (state.portfolio === null) return;
  setSnapshotDeadline(projection);
  const before = instrument === null ? 0 : sign(signedQuantity(state.portfolio, instrument));
  state.portfolio = evolvePortfolio(state.portfolio, event);
  const after = instrument === null ? 0 : sign(signedQuantity(state.portfolio, instrument));
  publish(projection, viewNow(projection), before !== after);
}

function onHalt(event: EventEnvelope<'halt.raised'> | EventEnvelope<'halt.lifted'>, projection: Projection): void {
  const { state, out } = projection;
  if (state.portfolio === null) return;
  if (event.data.scope !== 'global' && event.data.portfolio !== out.key) return;
  setSnapshotDeadline(projection);
  state.portfolio = evolvePortfolio(state.portfolio, event);
  publish(projection, viewNow(projection), true);
}

function onPrice(event: AnyEvent, projection: Projection): void {
  const { config, state, out } = projection;
  const { portfolio } = state;
  if (portfolio === null) return;
  const priced = foldPrice(state.prices, event);
  if (isWarmup(event)) return;
  setSnapshotDeadline(projection);
  if (!priced.some((instrument) => portfolio.positions[instrument] !== undefined)) return;
  // Every price is valued, because the peak is made of all of them; not every one is published.
  const value = valuation(portfolio, state.prices.marks, out.now, state.tracker);
  const isQuiet = out.now - state.changedAt < config.priceChangeEveryMs;
  if (isQuiet && !hasMoved(projection, value.equity)) return;
  publish(projection, viewOf(portfolio, value, state.prices.marks), false);
}

/** The five minutes are over: what prices changed since the last delta, and the whole. */
function onSnapshotDue(projection: Projection): void {
  projection.state.isSnapshotDue = false;
  publish(projection, viewNow(projection), true);
}

function viewNow({ state, out }: Projection): PortfolioView | null {
  if (state.portfolio === null) return null;
  const value = valuation(state.portfolio, state.prices.marks, out.now, state.tracker);
  return viewOf(state.portfolio, value, state.prices.marks);
}

/** Says what changed, and the whole when that is significant. */
function publish(projection: Projection, view: PortfolioView | null, isSignificant: boolean): void {
  const { state, out } = projection;
  if (view === null) return;
  const delta = deltaOf(state.published, view);
  if (delta !== null) {
    state.version++;
    state.changedAt = out.now;
    state.published = view;
    out.emit('state.changed', { timestamp: out.now, delta, portfolio: out.key, version: state.version });
  }
  if (isSignificant || hasMoved(projection, view.equity)) {
    state.snapshotEquity = view.equity;
    out.emit('state.snapshot', { timestamp: out.now, portfolio: out.key, ...view });
  }
}

function hasMoved({ config, state }: Projection, equity: number): boolean {
  const last = state.snapshotEquity;
  return last === null || Math.abs(equity - last) > config.significantMove * Math.abs(last);
}

/** The next multiple of the interval; set by what happens, so that a time in which nothing does stays quiet. */
function setSnapshotDeadline({ config, state, out }: Projection): void {
  if (state.isSnapshotDue) return;
  state.isSnapshotDue = true;
  out.schedule(SNAPSHOT, (Math.floor(out.now / config.snapshotEveryMs) + 1) * config.snapshotEveryMs);
}
