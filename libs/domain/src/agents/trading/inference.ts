import { eventId, type AnyEvent, type EmitData, type EventEnvelope } from '@moon/events';
import { emitSignal, noView, round, speakUp, type View } from '../../agent-kit';
import type { Outbox } from '../../handler';
import { oneLine, parseAnswer } from './answer';
import type { TradingAgentConfig } from './config';
import { raiseByCorrelation } from './correlation';
import { featuresForEvent, type Features } from './features';
import { tradingPrompt } from './prompt';
import type { ModelView, PendingInference, TradingAgentState } from './state';

/** Questions that may be open at once; more means that nobody answers, and the oldest is given up. */
const MAX_PENDING = 8;

type ErrorReason = EmitData<'signal.error'>['reason'];

/** What is asked, and by when the answer is of use. */
export interface Asking {
  features: Features;
  trigger: string;
  windowId: string | null;
  timeoutMs: number;
}

/** Emits `inference.requested` and notes it as pending. Nothing waits: the answer comes back as an event. */
export function askModel(
  cause: AnyEvent,
  state: TradingAgentState,
  out: Outbox,
  config: TradingAgentConfig,
  asking: Asking,
): void {
  const { features, trigger, windowId, timeoutMs } = asking;
  const inferenceId = eventId('inference', cause.id, config.agent);
  const figures: Record<string, string | number> = featuresForEvent(features);
  addApproval(figures, state, out.now);
  const question = { token: out.key, intervalMs: config.intervalMs, features: figures, trigger };
  const request: EmitData<'inference.requested'> = {
    token: out.key,
    inferenceId,
    agent: config.agent,
    model: config.model,
    prompt: tradingPrompt(question),
    features: figures,
    timeoutMs,
    timestamp: out.now,
  };
  if (windowId !== null) request.windowId = windowId;
  out.emit('inference.requested', request);
  if (state.pending.length >= MAX_PENDING) giveUp(state.pending.shift() as PendingInference, state, out, config);
  state.pending.push({ inferenceId, windowId, expiresAt: out.now + timeoutMs, figures, trigger });
  state.inferences.asked++;
  state.lastInferenceAt = out.now;
  state.barsSinceInference = 0;
  state.triggers = [];
}

/** The last trade that the consensus approved, so that the model knows what is already done. */
function addApproval(figures: Record<string, string | number>, { lastApproval }: TradingAgentState, now: number): void {
  if (lastApproval === null) return;
  figures.lastApproved = lastApproval.action;
  figures.minutesSinceApproval = Math.floor((now - lastApproval.at) / 60_000);
}

/** Gives up the questions whose answer is overdue at `out.now`, each with a `signal.error`. */
export function expirePending(state: TradingAgentState, out: Outbox, config: TradingAgentConfig): void {
  if (state.pending.length === 0) return;
  const overdue = state.pending.filter((one) => one.expiresAt < out.now);
  if (overdue.length === 0) return;
  state.pending = state.pending.filter((one) => one.expiresAt >= out.now);
  for (const one of overdue) giveUp(one, state, out, config);
}

function giveUp(one: PendingInference, state: TradingAgentState, out: Outbox, config: TradingAgentConfig): void {
  state.inferences.failed++;
  emitError(one, 'timeout', 'No answer came in time.', out, config);
}

/** Turns the model's answer into a signal, or into `signal.error` and, where a window waits, an honest HOLD. */
export function takeAnswer(
  event: EventEnvelope<'inference.completed'>,
  state: TradingAgentState,
  out: Outbox,
  config: TradingAgentConfig,
): void {
  const completed = event.data;
  if (completed.agent !== config.agent) return;
  const index = state.pending.findIndex((one) => one.inferenceId === completed.inferenceId);
  const asked = state.pending[index];
  if (asked === undefined) {
    state.inferences.unknown++;
    return;
  }
  state.pending.splice(index, 1);
  if (state.voter.halts.length > 0) {
    state.voter.counts.withheld++;
    return;
  }
  if (asked.expiresAt < out.now) {
    state.inferences.late++;
    return fail(asked, 'timeout', 'The answer came too late.', { state, out, config });
  }
  if (completed.status !== 'ok') {
    const reason = completed.status === 'timeout' ? 'timeout' : 'unavailable';
    return fail(asked, reason, `The model did not answer: ${oneLine(completed.answer.slice(0, 500))}`, {
      state,
      out,
      config,
    });
  }
  const answer = parseAnswer(completed.answer);
  if (!answer.ok) return fail(asked, 'invalid_answer', answer.detail, { state, out, config });
  state.inferences.answered++;
  const { action, score, confidence, reason } = answer.view;
  state.view = { action, score, confidence, reason, at: out.now, context: contextOf(asked, completed, state) };
  voice(state.view, asked.windowId, state, out, config);
}

/** Says the view, raised where a correlation speaks for it: to the window that waits, or of the agent's own accord. */
export function voice(
  view: ModelView,
  windowId: string | null,
  state: TradingAgentState,
  out: Outbox,
  config: TradingAgentConfig,
): void {
  const { context, action, score, confidence, reason } = view;
  const raised = raiseByCorrelation(
    { action, score, confidence, reason },
    state.correlation,
    out.now,
    config.correlation,
  );
  const spoken: View = raised?.view ?? { action, score, confidence, reason };
  const extras = {
    context: raised === null ? context : { ...context, ...raised.context },
    ...(raised !== null && raised.sizeFactor > 1 ? { sizeFactor: raised.sizeFactor } : {}),
  };
  if (windowId === null) {
    const explain = () => ({ reason: spoken.reason, extras });
    const { opening, correlation } = config;
    const bounds =
      raised === null ? opening : { ...opening, minScore: Math.min(opening.minScore, correlation.minScore) };
    return speakUp(spoken, state.voter, out, { agent: config.agent, config: bounds, explain });
  }
  emitSignal(out, config.agent, spoken, { ...extras, windowId });
  state.voter.counts.answers++;
}

/** Where a failure is reported to. */
interface Place {
  state: TradingAgentState;
  out: Outbox;
  config: TradingAgentConfig;
}

function fail(asked: PendingInference, reason: ErrorReason, detail: string, { state, out, config }: Place): void {
  state.inferences.failed++;
  emitError(asked, reason, detail, out, config);
  if (asked.windowId === null) return;
  emitSignal(out, config.agent, noView(`no answer from the model (${reason})`), { windowId: asked.windowId });
  state.voter.counts.answers++;
}

function emitError(
  asked: PendingInference,
  reason: ErrorReason,
  detail: string,
  out: Outbox,
  config: TradingAgentConfig,
): void {
  const { inferenceId } = asked;
  out.emit('signal.error', { token: out.key, agent: config.agent, reason, detail, inferenceId, timestamp: out.now });
}

/** What the opinion rests on: the figures asked about, who answered, how fast, at what cost. */
function contextOf(
  asked: PendingInference,
  completed: EmitData<'inference.completed'>,
  state: TradingAgentState,
): ModelView['context'] {
  const { inferenceId, model, provider, latencyMs, costUsd } = completed;
  const answered = { trigger: asked.trigger, inferenceId, model, provider, latencyMs: round(latencyMs, 3) };
  const context: ModelView['context'] = Object.assign({}, asked.figures, answered);
  if (costUsd !== undefined) context.costUsd = costUsd;
  if (state.source.instrument !== null) context.instrument = state.source.instrument;
  return context;
}
