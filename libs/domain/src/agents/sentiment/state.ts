import { newOpeningMemory, type VoterState } from '../../agent-kit';

/** What one source has said, as of its last update. */
export interface SourceMemory {
  source: string;
  /** Sum of decayed confidences at `at`, capped. */
  evidence: number;
  /** Mean of bullish_pct (0–100), weighted by decayed confidence. */
  bullishPct: number;
  /** Points of bullish_pct an hour, from the last update. */
  velocity: number;
  /** Event time of the last update, ms. */
  at: number;
}

/** State of the sentiment agent for one token. */
export interface SentimentAgentState {
  voter: VoterState;
  /** Ordered by first appearance. */
  sources: SourceMemory[];
  updates: number;
}

export function newSentimentState(): SentimentAgentState {
  return {
    voter: { halts: [], opening: newOpeningMemory(), counts: { openings: 0, answers: 0, withheld: 0 } },
    sources: [],
    updates: 0,
  };
}
