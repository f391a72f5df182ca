import type { AnyEvent, EventEnvelope } from '@moon/events';
import {
  answerWindow,
  applyHalt,
  completeConfig,
  followBar,
  isAsked,
  isFresh,
  isWarmup,
  noView,
  type PartialConfig,
} from '../../agent-kit';
import type { Handler, Outbox } from '../../handler';
import { tradingConditions } from './conditions';
import { tradingAgentConfigSchema, type TradingAgentConfig } from './config';
import { followMove, learnCorrelation } from './correlation';
import { createIndicators, pushClose } from './features';
import { askModel, expirePending, takeAnswer, voice } from './inference';
import { newTradingState, type TradingAgentState } from './state';

/** A window's question to the model ends this long before the window does, so that the vote still arrives. */
const WINDOW_MARGIN_MS = 250;
/** Less time than this is no time to ask a model in. */
const LEAST_TIMEOUT_MS = 100;

/**
 * Trading agent (TRD-1…3, US5-2): keeps SMA, RSI, MACD and Bollinger bands of its token's bars; on a trading condition, or when a
 * window asks and its view is old, asks a model with `inference.requested` and never waits; the answer comes as
 * `inference.completed` and is said as `signal.generated`, or as `signal.error`. Pauses under a global halt.
 */
export function createTradingAgent(given: PartialConfig<TradingAgentConfig> = {}): Handler<TradingAgentState> {
  const config = completeConfig('trading agent', tradingAgentConfigSchema, given);
  const { smaFast, smaSlow, macdFast, macdSlow } = config.indicators;
  if (smaFast >= smaSlow || macdFast >= macdSlow) {
    throw new Error('Configuration of trading agent: smaFast < smaSlow and macdFast < macdSlow must hold.');
  }
  return {
    name: 'agent/trading',
    role: 'agent',
    partitionedBy: 'token',
    consumes: [
      'bar.closed',
      'inference.completed',
      'consensus.opened',
      'correlation.detected',
      'trade.consensus_approved',
    ],
    broadcast: ['halt.raised', 'halt.lifted'],
    initialState: () => newTradingState(config),
    handle: (event, state, out) => handle(event, state, out, config),
    hashView: withoutIds,
  };
}

function handle(event: AnyEvent, state: TradingAgentState, out: Outbox, config: TradingAgentConfig): void {
  switch (event.type) {
    case 'bar.closed':
      return onBar(event, state, out, config);
    case 'inference.completed':
      return takeAnswer(event, state, out, config);
    case 'consensus.opened':
      return onWindow(event, state, out, config);
    case 'correlation.detected':
      state.correlation = learnCorrelation(
        state.correlation,
        event.data,
        state.features?.close ?? null,
        config.correlation,
      );
      return;
    case 'trade.consensus_approved':
      state.lastApproval = { action: event.data.recommended_action, at: out.now };
      return;
    case 'halt.raised':
    case 'halt.lifted':
      return applyHalt(state.voter.halts, event);
    default:
      return;
  }
}

function onBar(
  event: EventEnvelope<'bar.closed'>,
  state: TradingAgentState,
  out: Outbox,
  config: TradingAgentConfig,
): void {
  const taken = followBar(state.source, event.data, config.intervalMs);
  if (taken === 'pass') return;
  if (taken === 'restart') startAnew(state, config);
  const before = state.features;
  const { close } = event.data;
  state.features = pushClose(state.indicators, close);
  state.barsSinceInference++;
  const moved = state.correlation !== null && followMove(state.correlation, close, out.now, config.correlation);
  expirePending(state, out, config);
  if (state.features === null || isWarmup(event)) return;
  for (const condition of tradingConditions(before, state.features, config.conditions)) {
    if (!state.triggers.includes(condition)) state.triggers.push(condition);
  }
  if (moved) state.triggers.push('correlated_move');
  askIfDue(event, state, out, config, moved);
}

/** Bars of another instrument: nothing that was computed from the old ones holds. */
function startAnew(state: TradingAgentState, config: TradingAgentConfig): void {
  state.indicators = createIndicators(config.indicators);
  state.features = null;
  state.view = null;
  if (state.correlation !== null) state.correlation.referencePrice = null;
}

/** Asks the model when conditions are met or a review is due, one question at a time and not too often; a correlated move cannot wait. */
function askIfDue(
  event: AnyEvent,
  state: TradingAgentState,
  out: Outbox,
  config: TradingAgentConfig,
  urgent: boolean,
): void {
  const { triggers, lastInferenceAt, features } = state;
  if (features === null || state.voter.halts.length > 0) return;
  if (lastInferenceAt === null) triggers.unshift('first');
  else if (triggers.length === 0 && state.barsSinceInference >= config.conditions.reviewBars) triggers.push('review');
  if (triggers.length === 0 || state.pending.some((one) => one.windowId === null)) return;
  if (!urgent && lastInferenceAt !== null && out.now - lastInferenceAt < config.conditions.minIntervalMs) return;
  askModel(event, state, out, config, {
    features,
    trigger: triggers.join(', '),
    windowId: null,
    timeoutMs: config.timeoutMs,
  });
}

/** A window asks: with a fresh view the vote is said at once, else the model is asked and its answer will be the vote. */
function onWindow(
  event: EventEnvelope<'consensus.opened'>,
  state: TradingAgentState,
  out: Outbox,
  config: TradingAgentConfig,
): void {
  const { windowId, closesAt } = event.data;
  expirePending(state, out, config);
  if (!isAsked(event.data, config.agent)) return;
  const refuse = (reason: string): void =>
    answerWindow(event, state.voter, out, { agent: config.agent, view: noView(reason) });
  if (state.voter.halts.length > 0) return refuse('halted');
  const { features, view } = state;
  if (features === null) return refuse(`still warming up: ${state.source.taken} bars so far`);
  if (!isFresh(state.source, out.now, config.maxBarAgeMs)) return refuse('no bar for too long');
  if (view !== null && out.now - view.at <= config.viewMaxAgeMs) return voice(view, windowId, state, out, config);
  const waiting = state.pending.find((one) => one.windowId === null);
  if (waiting !== undefined) {
    waiting.windowId = windowId;
    return;
  }
  const timeoutMs = Math.min(config.timeoutMs, closesAt - out.now - WINDOW_MARGIN_MS);
  if (timeoutMs < LEAST_TIMEOUT_MS) return refuse('the window is too short to ask the model');
  askModel(event, state, out, config, { features, trigger: 'window', windowId, timeoutMs });
}

/** Ids stay out of the state hash (rule 6). */
function withoutIds(state: TradingAgentState): unknown {
  const pending = state.pending.map(({ windowId, expiresAt, figures, trigger }) => ({
    asked: windowId !== null,
    expiresAt,
    figures,
    trigger,
  }));
  if (state.view === null) return { ...state, pending };
  const { inferenceId: _, ...context } = state.view.context;
  return { ...state, pending, view: { ...state.view, context } };
}
