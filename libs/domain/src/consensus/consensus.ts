import { derivedId, type AnyEvent, type Decision, type EmitData, type EventEnvelope } from '@moon/events';
import { applyHalt, isWarmup, type PartialConfig } from '../agent-kit';
import type { Handler, Outbox } from '../handler';
import { completeConsensusConfig, type ConsensusConfig } from './config';
import { approvalOf, decisionOf, voteRecord } from './decision';
import { consensusHashView, initialConsensusState, type ConsensusState, type OpenWindow, type Vote } from './state';
import { certainVerdict, finalVerdict, RULE_TEXT, type Verdict } from './verdict';

const NAME = 'saga/consensus';
const DEADLINE = 'window';
/** A confidence below this is none: it could not change a decision, and products with it would underflow. */
const LEAST_CONFIDENCE = 1e-9;
const REMEMBERED_SIGNALS = 64;
const MOST_UNCOUNTED = 100;

type Signal = EventEnvelope<'signal.generated'>;
type FailureReason = EmitData<'signal.consensus_failed'>['reason'];

/**
 * The consensus saga: gathers the voting agents' opinions on one token and decides whether they agree (US2; rules 18, 24).
 *
 * The first actionable signal of a voter (BUY or SELL, confidence above 0, no `windowId`) opens a window and is its
 * agent's vote; `consensus.opened` asks the others, who answer with `signal.generated` carrying the `windowId`. A
 * signal without id during the window is its agent's vote too. The first vote of an agent is binding; anything further
 * is recorded in the decision, uncounted. The window is decided as soon as the verdict is certain (`certainVerdict`), at
 * its end at the latest; then exactly one event says so, with everything it was decided on:
 * `trade.consensus_approved` or `signal.consensus_failed`.
 *
 * A global halt vetoes: it fails the open window (`vetoed_halt`). An actionable signal under a global halt or in the
 * token's cool-down after an approval opens no window; that refusal is an outcome of its own and is emitted as
 * `signal.consensus_failed` (`vetoed_halt`, `cooldown`), without a `consensus.opened` before it.
 * Answers to a window that is already decided are counted in the state and nothing else: they are in the log anyway.
 */
export function createConsensusSaga(given: PartialConfig<ConsensusConfig> = {}): Handler<ConsensusState> {
  const config = completeConsensusConfig(given);
  return {
    name: NAME,
    role: 'saga',
    partitionedBy: 'token',
    consumes: ['signal.generated'],
    broadcast: ['halt.raised', 'halt.lifted'],
    durable: true,
    initialState: initialConsensusState,
    hashView: consensusHashView,
    parked: failOpenWindowsOnPark,
    handle(event: AnyEvent, state: ConsensusState, out: Outbox): void {
      if (isWarmup(event)) return;
      if (event.type === 'signal.generated') onSignal(config, event, state, out);
      else if (event.type === 'halt.raised' || event.type === 'halt.lifted') onHalt(event, state, out);
      else if (event.type === 'deadline.reached') onDeadline(config, event, state, out);
    },
  };
}

/**
 * Fails the open window of a token whose consensus key is parked (rule 25), so that every window keeps exactly one
 * outcome. For the runtime, on the state before the poisoned event; does nothing when no window is open.
 */
export function failOpenWindowsOnPark(state: ConsensusState, out: Outbox): void {
  if (state.window !== null) failWindow(state.window, { reason: 'parked', because: 'parked' }, state, out);
}

function onSignal(config: ConsensusConfig, event: Signal, state: ConsensusState, out: Outbox): void {
  const { windowId } = event.data;
  const vote = voteOf(event);
  const { window } = state;
  if (windowId === undefined && !isFirst(state, event.id)) return;
  if (window !== null && (windowId === undefined || windowId === window.windowId)) {
    if (!cast(window, vote, out.now)) return;
    decideIfCertain(config, window, state, out);
  } else if (windowId !== undefined) {
    state.counts.late += 1;
  } else if (vote.action !== 'HOLD' && vote.confidence > 0) {
    if (config.voters.some((voter) => voter.agent === vote.agent)) openWindow(config, vote, state, out);
  }
}

/** Enters a vote; false when it does not count. */
function cast(window: OpenWindow, vote: Vote, now: number): boolean {
  const seat = window.voters.findIndex((voter) => voter.agent === vote.agent);
  if (seat < 0) return false;
  const bound = window.votes[seat];
  if (bound?.signalId === vote.signalId) return false;
  if (bound || now > window.closesAt) {
    const note = bound ? 'the agent had voted' : 'after the end of the window';
    const isKnown = window.uncounted.some((other) => other.signalId === vote.signalId);
    if (!isKnown && window.uncounted.length < MOST_UNCOUNTED) window.uncounted.push({ ...vote, note });
    return false;
  }
  window.votes[seat] = vote;
  return true;
}

function openWindow(config: ConsensusConfig, vote: Vote, state: ConsensusState, out: Outbox): void {
  const windowId = derivedId(vote.signalId, `${NAME}/window`, 0);
  if (state.halts.length > 0) return refuse(config, { windowId, vote, reason: 'vetoed_halt' }, state, out);
  if (out.now < state.cooldownUntil) return refuse(config, { windowId, vote, reason: 'cooldown' }, state, out);
  const { threshold, minimumAgents } = config;
  const voters = config.voters.map(({ agent, weight }) => ({ agent, weight }));
  const window: OpenWindow = {
    windowId,
    openedBy: vote.agent,
    openingSignalId: vote.signalId,
    openedAt: out.now,
    closesAt: out.now + config.windowMs,
    voters,
    threshold,
    minimumAgents,
    votes: voters.map(({ agent }) => (agent === vote.agent ? vote : null)),
    uncounted: [],
  };
  state.window = window;
  state.counts.opened += 1;
  out.emit('consensus.opened', {
    token: out.key,
    windowId,
    openedBy: window.openedBy,
    openingSignalId: window.openingSignalId,
    closesAt: window.closesAt,
    voters: voters.map((voter) => ({ ...voter })),
    threshold,
    minimumAgents,
    timestamp: out.now,
  });
  out.schedule(DEADLINE, window.closesAt, { windowId });
  decideIfCertain(config, window, state, out);
}

function refuse(
  config: ConsensusConfig,
  refusal: { windowId: string; vote: Vote; reason: 'vetoed_halt' | 'cooldown' },
  state: ConsensusState,
  out: Outbox,
): void {
  const { windowId, vote, reason } = refusal;
  const weight = config.voters.find((voter) => voter.agent === vote.agent)?.weight ?? 0;
  const note = reason === 'cooldown' ? 'no window: cool-down after an approval' : 'no window: global halt';
  const decision: Decision = {
    rule: RULE_TEXT,
    threshold: config.threshold,
    minimumAgents: config.minimumAgents,
    scores: { BUY: null, SELL: null },
    votes: [voteRecord(vote, weight, false, note)],
    decidedBecause: reason === 'cooldown' ? 'cooldown' : 'veto',
    openedAt: out.now,
    decidedAt: out.now,
  };
  state.counts.refused += 1;
  out.emit('signal.consensus_failed', { token: out.key, windowId, reason, decision, timestamp: out.now });
}

function onHalt(
  event: EventEnvelope<'halt.raised'> | EventEnvelope<'halt.lifted'>,
  state: ConsensusState,
  out: Outbox,
): void {
  applyHalt(state.halts, event);
  if (state.halts.length > 0 && state.window !== null)
    failWindow(state.window, { reason: 'vetoed_halt', because: 'veto' }, state, out);
}

function onDeadline(
  config: ConsensusConfig,
  event: EventEnvelope<'deadline.reached'>,
  state: ConsensusState,
  out: Outbox,
): void {
  const { window } = state;
  if (window === null || event.data.data.windowId !== window.windowId) return;
  const result = { window, verdict: finalVerdict(window, window.votes), because: 'window_end' } as const;
  decide(config, result, state, out);
}

function decideIfCertain(config: ConsensusConfig, window: OpenWindow, state: ConsensusState, out: Outbox): void {
  const verdict = certainVerdict(window, window.votes);
  if (verdict !== null) decide(config, { window, verdict, because: 'certain' }, state, out);
}

function decide(
  config: ConsensusConfig,
  result: { window: OpenWindow; verdict: Verdict; because: 'certain' | 'window_end' },
  state: ConsensusState,
  out: Outbox,
): void {
  const { window, verdict, because } = result;
  if (verdict.outcome === 'failed') return failWindow(window, { reason: verdict.reason, because }, state, out);
  const decision = decisionOf(window, because, out.now);
  const context = { decision, token: out.key, now: out.now, maxSizeFactor: config.maxSizeFactor };
  out.emit('trade.consensus_approved', approvalOf(window, verdict.action, context));
  state.counts.approved += 1;
  state.cooldownUntil = out.now + config.cooldownMs;
  close(state, out);
}

function failWindow(
  window: OpenWindow,
  { reason, because }: { reason: FailureReason; because: Decision['decidedBecause'] },
  state: ConsensusState,
  out: Outbox,
): void {
  const decision = decisionOf(window, because, out.now);
  const { windowId } = window;
  out.emit('signal.consensus_failed', { token: out.key, windowId, reason, decision, timestamp: out.now });
  state.counts.failed += 1;
  close(state, out);
}

function close(state: ConsensusState, out: Outbox): void {
  state.window = null;
  out.cancel(DEADLINE);
}

/** False for a signal that was delivered before: neither a vote nor an opening may come of it a second time. */
function isFirst(state: ConsensusState, signalId: string): boolean {
  const known = knownOf(state.heard);
  if (known.has(signalId)) return false;
  known.add(signalId);
  state.heard.push(signalId);
  const oldest = state.heard.length > REMEMBERED_SIGNALS ? state.heard.shift() : undefined;
  if (oldest !== undefined) known.delete(oldest);
  return true;
}

/** The signals of a list as a set: found from the state, and never part of it. */
const knownSignals = new WeakMap<string[], Set<string>>();

function knownOf(heard: string[]): Set<string> {
  let known = knownSignals.get(heard);
  if (known === undefined) knownSignals.set(heard, (known = new Set(heard)));
  return known;
}

function voteOf(event: Signal): Vote {
  const { agent, action, score, sizeFactor } = event.data;
  const confidence = event.data.confidence < LEAST_CONFIDENCE ? 0 : event.data.confidence;
  return { agent, action, confidence, score, signalId: event.id, sizeFactor: sizeFactor ?? 1 };
}
