import type { EmitData, EventData, EventEnvelope } from '@moon/events';
import type { Outbox } from '../handler';
import { decideOpening, rememberOpening, relaxOpening, type OpeningConfig, type OpeningMemory } from './opening';
import type { GlobalHalt } from './halts';
import { roundView, type Opinion, type View } from './view';

/** What every voting agent keeps beside its own knowledge; plain JSON. */
export interface VoterState {
  /** Global halts in force: while there is one, the agent says nothing and goes on watching. */
  halts: GlobalHalt[];
  opening: OpeningMemory;
  /** Signals said on its own account, answers to windows, and what a halt kept it from saying. */
  counts: { openings: number; answers: number; withheld: number };
}

type Signal = EmitData<'signal.generated'>;
/** Everything a signal may carry beside the view. */
export type SignalExtras = Pick<Signal, 'windowId' | 'sizeFactor' | 'context'>;

/** Whether this agent owes the window an answer: it is a voter there and did not open it (its opening signal is its vote, rule 24). */
export function isAsked(window: EventData<'consensus.opened'>, agent: string): boolean {
  return window.openedBy !== agent && window.voters.some((voter) => voter.agent === agent);
}

/** Emits a view as `signal.generated`; absent extras are left out of the data altogether. */
export function emitSignal(out: Outbox, agent: string, view: View, extras: SignalExtras): void {
  const { action, score, confidence, reason } = roundView(view);
  const data: Signal = { token: out.key, action, score, confidence, agent, reason, timestamp: out.now };
  if (extras.windowId !== undefined) data.windowId = extras.windowId;
  if (extras.sizeFactor !== undefined) data.sizeFactor = extras.sizeFactor;
  if (extras.context !== undefined) data.context = extras.context;
  out.emit('signal.generated', data);
}

/** Answers a window with the present view. Says nothing under a global halt: the consensus is vetoed then. */
export function answerWindow(
  event: EventEnvelope<'consensus.opened'>,
  voter: VoterState,
  out: Outbox,
  answer: { agent: string; view: View; extras?: SignalExtras },
): void {
  if (!isAsked(event.data, answer.agent)) return;
  if (voter.halts.length > 0) {
    voter.counts.withheld++;
    return;
  }
  emitSignal(out, answer.agent, answer.view, { ...answer.extras, windowId: event.data.windowId });
  voter.counts.answers++;
}

export interface Speech {
  agent: string;
  config: OpeningConfig;
  /** The words and figures of the signal; only asked for when there is one, since most bars end in silence. */
  explain: () => { reason: string; extras?: SignalExtras };
}

/**
 * Signals an opinion of the agent's own accord when `decideOpening` says so and no global halt is in force.
 * Called with warm-up opinions never: nothing may be remembered as said that nobody heard.
 */
export function speakUp(opinion: Opinion, voter: VoterState, out: Outbox, speech: Speech): void {
  relaxOpening(opinion, voter.opening, speech.config);
  const cause = decideOpening(opinion, voter.opening, out.now, speech.config);
  if (cause === null) return;
  if (voter.halts.length > 0) {
    voter.counts.withheld++;
    return;
  }
  const { reason, extras = {} } = speech.explain();
  emitSignal(out, speech.agent, { ...opinion, reason: `${reason} (${cause})` }, extras);
  rememberOpening(opinion, voter.opening, out.now);
  voter.counts.openings++;
}
