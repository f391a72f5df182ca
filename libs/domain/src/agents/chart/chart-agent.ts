import type { AnyEvent, EventEnvelope } from '@moon/events';
import {
  answerWindow,
  applyHalt,
  completeConfig,
  figure,
  followBar,
  isFresh,
  isWarmup,
  noView,
  speakUp,
  type PartialConfig,
  type SignalExtras,
} from '../../agent-kit';
import type { Handler, Outbox } from '../../handler';
import { pushBar } from '../../indicators';
import { chartAgentConfigSchema, type ChartAgentConfig } from './config';
import { chartOpinion, chartReason, chartView } from './decide';
import { readBar } from './read-length';
import { newChartState, newLengths, type ChartAgentState } from './state';

/**
 * Chart agent: builds longer bars from its token's base bars, reads trend, breakout and patterns on each length, votes with
 * the weighted lean and opens a window when it becomes actionable. See `readBar` and `chartView` for the formulas.
 */
export function createChartAgent(given: PartialConfig<ChartAgentConfig> = {}): Handler<ChartAgentState> {
  const config = completeConfig('chart agent', chartAgentConfigSchema, given);
  const odd = config.lengths.find(({ minutes }) => minutes % config.baseMinutes !== 0);
  if (odd !== undefined)
    throw new Error(
      `Configuration of chart agent: length ${odd.minutes} is no multiple of baseMinutes ${config.baseMinutes}.`,
    );
  if (config.fastPeriod >= config.slowPeriod || config.actionAt >= config.fullAt) {
    throw new Error('Configuration of chart agent: fastPeriod < slowPeriod and actionAt < fullAt must hold.');
  }
  return {
    name: 'agent/chart',
    role: 'agent',
    partitionedBy: 'token',
    consumes: ['bar.closed', 'consensus.opened'],
    broadcast: ['halt.raised', 'halt.lifted'],
    initialState: () => newChartState(config),
    handle: (event, state, out) => handle(event, state, out, config),
  };
}

function handle(event: AnyEvent, state: ChartAgentState, out: Outbox, config: ChartAgentConfig): void {
  switch (event.type) {
    case 'bar.closed':
      return onBar(event, state, out, config);
    case 'consensus.opened': {
      const fresh = isFresh(state.source, out.now, config.maxBarAgeMs);
      const view = fresh ? chartView(state.lengths, config) : noView('no bar for too long');
      return answerWindow(event, state.voter, out, { agent: config.agent, view, extras: extrasOf(state) });
    }
    case 'halt.raised':
    case 'halt.lifted':
      return applyHalt(state.voter.halts, event);
    default:
      return;
  }
}

function onBar(
  event: EventEnvelope<'bar.closed'>,
  state: ChartAgentState,
  out: Outbox,
  config: ChartAgentConfig,
): void {
  const baseMs = config.baseMinutes * 60_000;
  const taken = followBar(state.source, event.data, baseMs);
  if (taken === 'pass') return;
  if (taken === 'restart') state.lengths = newLengths(config);
  const { openedAt, open, high, low, close, volume } = event.data;
  const bar = { openedAt, open, high, low, close, volume };
  for (const length of state.lengths) {
    const closed = pushBar(length.series, bar, baseMs).length;
    for (let ago = closed - 1; ago >= 0; ago--) readBar(length, ago, config);
  }
  if (isWarmup(event)) return;
  const opinion = chartOpinion(state.lengths, config);
  if (opinion === null) return;
  const explain = () => ({ reason: chartReason(state.lengths, config), extras: extrasOf(state) });
  speakUp(opinion, state.voter, out, { agent: config.agent, config: config.opening, explain });
}

/** The figures behind the view, per bar length. */
function extrasOf(state: ChartAgentState): SignalExtras {
  const context: Record<string, number | string> = {};
  for (const { minutes, trend, breakout, pattern, patternName, lean } of state.lengths) {
    if (lean === null) continue;
    context[`lean${minutes}m`] = figure(lean);
    context[`trend${minutes}m`] = figure(trend);
    context[`breakout${minutes}m`] = figure(breakout);
    context[`pattern${minutes}m`] = figure(pattern);
    if (patternName !== null) context[`patternName${minutes}m`] = patternName;
  }
  if (state.source.instrument !== null) context.instrument = state.source.instrument;
  return { context };
}
