import type { Decision, EmitData, Vote as VoteRecord } from '@moon/events';
import { num15 } from '../money';
import type { OpenWindow, Vote } from './state';
import { RULE_TEXT, score, supporterIndices, type Direction } from './verdict';

/** The audit trail of an open window's outcome (US2-6): every input with its weight, the scores, the rule, the moment. */
export function decisionOf(window: OpenWindow, because: Decision['decidedBecause'], now: number): Decision {
  const counted = window.voters.map(({ agent, weight }, index): VoteRecord => {
    const vote = window.votes[index];
    if (vote) return voteRecord(vote, weight, true);
    const nothing = { action: 'HOLD', confidence: 0, score: 0, signalId: null, counted: false } as const;
    return { agent, weight, ...nothing, note: 'no answer' };
  });
  const uncounted = window.uncounted.map((vote) => {
    const weight = window.voters.find((voter) => voter.agent === vote.agent)?.weight ?? 0;
    return voteRecord(vote, weight, false, vote.note);
  });
  return {
    rule: RULE_TEXT,
    threshold: window.threshold,
    minimumAgents: window.minimumAgents,
    scores: { BUY: score(window, window.votes, 'BUY'), SELL: score(window, window.votes, 'SELL') },
    votes: [...counted, ...uncounted],
    decidedBecause: because,
    openedAt: window.openedAt,
    decidedAt: now,
  };
}

/**
 * What is approved, and how strongly, from the votes for `action` (w = weight, c = confidence, f = size factor):
 * `confidence` = Σ w·c ÷ Σ w, the weighted mean confidence of the contributing agents; sizing scales by it.
 * `sizeFactor` = Σ w·c·f ÷ Σ w·c, bounded to 1…maxSizeFactor: an agent raises the size only as far as it weighs in the
 * approval, so that no single vote sizes the trade of all.
 */
export function approvalOf(
  window: OpenWindow,
  action: Direction,
  context: { decision: Decision; token: string; now: number; maxSizeFactor: number },
): EmitData<'trade.consensus_approved'> {
  let weights = 0;
  let weighed = 0;
  let raised = 0;
  const contributing = supporterIndices(window, window.votes, action);
  for (const index of contributing) {
    const weight = window.voters[index]?.weight ?? 0;
    const vote = window.votes[index];
    if (!vote) continue;
    weights += weight;
    weighed += weight * vote.confidence;
    raised += weight * vote.confidence * vote.sizeFactor;
  }
  const consensusScore = context.decision.scores[action];
  if (consensusScore === null || weighed === 0)
    throw new Error(`Window ${window.windowId} approved ${action} without a vote that weighs; that is a defect.`);
  return {
    token: context.token,
    consensus_score: consensusScore,
    contributing_agents: contributing.map((index) => window.voters[index]?.agent ?? ''),
    recommended_action: action,
    windowId: window.windowId,
    confidence: num15(Math.min(1, weighed / weights)),
    sizeFactor: num15(Math.min(context.maxSizeFactor, Math.max(1, raised / weighed))),
    decision: context.decision,
    timestamp: context.now,
  };
}

/** A vote as decisions show it. */
export function voteRecord(vote: Vote, weight: number, counted: boolean, note?: string): VoteRecord {
  const { agent, action, confidence, score: strength, signalId } = vote;
  const record: VoteRecord = { agent, weight, action, confidence, score: strength, signalId, counted };
  return note === undefined ? record : { ...record, note };
}
