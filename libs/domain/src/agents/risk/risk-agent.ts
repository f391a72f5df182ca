import type { AnyEvent, EventEnvelope } from '@moon/events';
import { completeConfig, isWarmup, type PartialConfig } from '../../agent-kit';
import type { Handler } from '../../handler';
import { evolvePortfolio, glance } from '../../portfolio';
import { createPriceBook, foldPrice, resolveLimits } from '../../risk';
import { assess, judgeMove, onMarginCall, valueNow } from './assess';
import { onLiquidations } from './cascade';
import { riskAgentConfigSchema, type RiskAgentConfig } from './config';
import { CLEAR, onClearDue, type Watch } from './episodes';
import { extendMove, newMoveWindow, pushMove } from './move-window';
import { onSnapshot, rememberBooks } from './snapshots';
import { newRiskAgentState, type RiskAgentState } from './state';

/**
 * Risk agent, one state for each portfolio: on every price it revalues the portfolio from its own fold and says when a
 * bound is broken (RSK-1, RSK-2, US1-1), when liquidations threaten it (RSK-3), when a snapshot differs from what it
 * knows (RSK-6), and when a condition has cleared, by more than a hair and for some time (RSK-4). It gives opinions
 * only: the owner halts, the force-close saga closes.
 */
export function createRiskAgent(given: PartialConfig<RiskAgentConfig> = {}): Handler<RiskAgentState> {
  const config = completeConfig('risk agent', riskAgentConfigSchema, given);
  return {
    name: 'agent/risk',
    role: 'agent',
    partitionedBy: 'portfolio',
    consumes: [
      'portfolio.opened',
      'portfolio.deposited',
      'portfolio.withdrawn',
      'portfolio.position_opened',
      'portfolio.fill_booked',
      'portfolio.funding_booked',
      'state.snapshot',
      'venue.report',
    ],
    broadcast: ['price.tick', 'bar.opened', 'bar.closed', 'liquidation.event'],
    initialState: newRiskAgentState,
    handle: (event, state, out) => handle(event, { config, state, out }),
  };
}

function handle(event: AnyEvent, watch: Watch): void {
  switch (event.type) {
    case 'price.tick':
    case 'bar.opened':
    case 'bar.closed':
      return onPrice(event, watch);
    case 'portfolio.opened':
      return onOpened(event, watch);
    case 'portfolio.deposited':
    case 'portfolio.withdrawn':
    case 'portfolio.position_opened':
    case 'portfolio.fill_booked':
    case 'portfolio.funding_booked':
      return onBooked(event, watch);
    case 'liquidation.event':
      return isWarmup(event) ? undefined : onLiquidations(watch, event.data);
    case 'state.snapshot':
      return onSnapshot(watch, event.data);
    case 'venue.report':
      return event.data.kind === 'margin_call' ? onMarginCall(watch, event.data.instrument) : undefined;
    case 'deadline.reached':
      return event.data.name === CLEAR ? onClearDue(watch) : undefined;
    default:
      return;
  }
}

function onOpened(event: EventEnvelope<'portfolio.opened'>, { config, state, out }: Watch): void {
  if (state.portfolio !== null) return;
  state.bounds = resolveLimits(out.key, config.limits, event.data.limits);
  state.portfolio = evolvePortfolio(undefined, event);
  state.prices = createPriceBook(event.data.instruments);
  for (const { instrument } of event.data.instruments) state.moves[instrument] = newMoveWindow(config.moveWindowMs);
  rememberBooks(state, state.portfolio, out.now);
}

/** The books changed: a position may be gone, or stand too close to its liquidation from the start. */
function onBooked(event: AnyEvent, watch: Watch): void {
  const { state, out } = watch;
  if (state.portfolio === null) return;
  state.portfolio = evolvePortfolio(state.portfolio, event);
  rememberBooks(state, state.portfolio, out.now);
  const value = valueNow(watch);
  if (value !== null) assess(watch, value);
}

function onPrice(
  event: EventEnvelope<'price.tick'> | EventEnvelope<'bar.opened'> | EventEnvelope<'bar.closed'>,
  watch: Watch,
): void {
  const { config, state, out } = watch;
  const { portfolio } = state;
  if (portfolio === null) return;
  const priced = foldPrice(state.prices, event);
  if (priced.length === 0) return;
  state.pricedAt = out.now;
  const isWarming = isWarmup(event);
  let isHeld = false;
  for (const instrument of priced) {
    const window = state.moves[instrument];
    const mark = state.prices.marks[instrument];
    if (window === undefined || mark === undefined) continue;
    if (event.type === 'bar.closed' && event.data.intervalMs <= config.moveWindowMs) {
      extendMove(window, event.data.timestamp, event.data.high, event.data.low);
    }
    const move = pushMove(window, event.data.timestamp, mark);
    if (portfolio.positions[instrument] === undefined || isWarming) continue;
    isHeld = true;
    judgeMove(watch, instrument, move);
  }
  if (isWarming || (!isHeld && state.openEpisodes === 0)) return;
  assess(watch, glance(portfolio, state.prices.marks, out.now, state.tracker, state.openEpisodes > 0));
}
