import { newOpeningMemory, type VoterState } from '../../agent-kit';

/** Last funding rate of one instrument. */
export interface RateMemory {
  instrument: string;
  /** Annual fraction: rate ÷ intervalHours × 8760. Positive: longs pay. */
  apr: number;
  intervalHours: number;
  /** Event time of the update, ms. */
  at: number;
}

/** State of the funding agent for one token. */
export interface FundingAgentState {
  voter: VoterState;
  /** Ordered by first appearance. */
  rates: RateMemory[];
  updates: number;
}

export function newFundingState(): FundingAgentState {
  return {
    voter: { halts: [], opening: newOpeningMemory(), counts: { openings: 0, answers: 0, withheld: 0 } },
    rates: [],
    updates: 0,
  };
}
