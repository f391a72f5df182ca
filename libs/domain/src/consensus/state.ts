import type { GlobalHalt } from '../agent-kit';
import type { Ballot, Rule } from './verdict';

/** A signal as the window keeps it. */
export interface Vote extends Ballot {
  agent: string;
  /** Id of the `signal.generated`. */
  signalId: string;
  /** By how much the agent would raise the size of a trade; 1 = not at all. */
  sizeFactor: number;
}

/** A signal that came for the window but is no vote; the decision shows it. */
export interface UncountedVote extends Vote {
  note: string;
}

/** A window that waits for votes. The rule is the one in force when it opened, whatever the configuration says later. */
export interface OpenWindow extends Rule {
  windowId: string;
  openedBy: string;
  openingSignalId: string;
  /** Event time, ms. */
  openedAt: number;
  closesAt: number;
  /** The binding vote of each voter, in the order of `voters`; null = outstanding. */
  votes: (Vote | null)[];
  uncounted: UncountedVote[];
}

/** What the saga knows about one token; plain JSON. */
export interface ConsensusState {
  window: OpenWindow | null;
  /** Event time in ms up to which (exclusive) no window opens after an approval; 0 = never approved. */
  cooldownUntil: number;
  /** Global halts in force. */
  halts: GlobalHalt[];
  /** Ids of the latest signals that were no answers, so that one delivered twice opens and decides nothing twice. */
  heard: string[];
  counts: ConsensusCounts;
}

export interface ConsensusCounts {
  opened: number;
  approved: number;
  failed: number;
  /** Actionable signals that opened no window because of a halt or the cool-down. */
  refused: number;
  /** Answers to a window that was no longer open. */
  late: number;
}

export function initialConsensusState(): ConsensusState {
  return {
    window: null,
    cooldownUntil: 0,
    halts: [],
    heard: [],
    counts: { opened: 0, approved: 0, failed: 0, refused: 0, late: 0 },
  };
}

/** What the state hash sees: everything but the ids (rule 6). */
export function consensusHashView({ window, cooldownUntil, halts, counts }: ConsensusState): unknown {
  if (window === null) return { window: null, cooldownUntil, halts, counts };
  const { openedBy, openedAt, closesAt, voters, threshold, minimumAgents } = window;
  const votes = window.votes.map((vote) => vote && withoutId(vote));
  const uncounted = window.uncounted.map(withoutId);
  const rule = { voters, threshold, minimumAgents };
  return { window: { openedBy, openedAt, closesAt, ...rule, votes, uncounted }, cooldownUntil, halts, counts };
}

function withoutId({ signalId: _, ...rest }: Vote): unknown {
  return rest;
}
