import type { AnyEvent } from '@moon/events';
import type { AgentVotes, ConsensusDecision, DecisionLog } from '../../report';

type Decided = Extract<AnyEvent, { type: 'trade.consensus_approved' | 'signal.consensus_failed' }>;

/** Approved windows that are kept in detail at most: a trade every 40 minutes of a year has all of its decisions. */
const MOST_APPROVED = 13_000;
/** Failed windows: nothing refers to them, and with many agents there are far more. */
const MOST_FAILED = 2_000;

interface Tally extends Omit<AgentVotes, 'meanConfidence' | 'meanScore'> {
  confidence: number;
  score: number;
}

/** Counts every consensus window and keeps a bounded number of them in detail. */
export class DecisionRecorder {
  private readonly approved = new Thinned(MOST_APPROVED);
  private readonly failed = new Thinned(MOST_FAILED);
  private readonly failedByReason: Record<string, number> = {};
  private readonly agents = new Map<string, Tally>();

  observe(event: Decided): void {
    const action = actionOf(event);
    this.count(event, action);
    if (event.type === 'trade.consensus_approved') {
      this.approved.add(event, action);
      return;
    }
    const { reason } = event.data;
    this.failedByReason[reason] = (this.failedByReason[reason] ?? 0) + 1;
    this.failed.add(event, action);
  }

  log(): DecisionLog {
    return {
      approved: this.approved.seen,
      failed: this.failed.seen,
      failedByReason: { ...this.failedByReason },
      agents: [...this.agents.values()].map(({ confidence, score, ...tally }) => ({
        ...tally,
        meanConfidence: confidence / tally.votes,
        meanScore: score / tally.votes,
      })),
      kept: [...this.approved.items, ...this.failed.items].sort((a, b) => a.at - b.at),
    };
  }

  private count({ type, data }: Decided, approved: 'BUY' | 'SELL' | null): void {
    for (const vote of data.decision.votes) {
      // Who did not answer has not voted.
      if (vote.signalId === null) continue;
      let tally = this.agents.get(vote.agent);
      if (tally === undefined) {
        const { agent } = vote;
        tally = {
          agent,
          votes: 0,
          counted: 0,
          withApproved: 0,
          againstApproved: 0,
          inFailed: 0,
          confidence: 0,
          score: 0,
        };
        this.agents.set(agent, tally);
      }
      tally.votes += 1;
      tally.confidence += vote.confidence;
      tally.score += vote.score;
      if (!vote.counted || vote.action === 'HOLD') continue;
      tally.counted += 1;
      if (type === 'signal.consensus_failed') tally.inFailed += 1;
      else if (vote.action === approved) tally.withApproved += 1;
      else tally.againstApproved += 1;
    }
  }
}

function actionOf({ type, data }: Decided): 'BUY' | 'SELL' | null {
  if (type === 'trade.consensus_approved') return data.recommended_action;
  const { BUY, SELL } = data.decision.scores;
  if (BUY === null && SELL === null) return null;
  return (BUY ?? 0) >= (SELL ?? 0) ? 'BUY' : 'SELL';
}

function detailsOf(event: Decided, action: 'BUY' | 'SELL' | null): ConsensusDecision {
  const { id, type, occurredAt: at, data } = event;
  const { decision, token } = data;
  return {
    ...{ id, at, token, action, threshold: decision.threshold },
    outcome: type === 'trade.consensus_approved' ? 'approved' : 'failed',
    score: action === null ? null : decision.scores[action],
    reason: type === 'trade.consensus_approved' ? decision.decidedBecause : data.reason,
    votes: decision.votes.map(({ agent, action: voted, confidence, score, weight, counted }) => {
      return { agent, action: voted, confidence, score, weight, counted };
    }),
  };
}

const ALL_IDS = 2 ** 32;

/**
 * Keeps every window while there is room, then about every second, fourth … of them. Which ones are kept is drawn from
 * their ids: every so-maniest window would be one side only where buys and sells take turns. Ids are hashes of what
 * happened, so the same run keeps the same windows.
 */
class Thinned {
  items: ConsensusDecision[] = [];
  seen = 0;
  private below = ALL_IDS;

  constructor(private readonly most: number) {}

  add(event: Decided, action: 'BUY' | 'SELL' | null): void {
    this.seen += 1;
    while (this.isKept(event.id)) {
      if (this.items.length < this.most) {
        this.items.push(detailsOf(event, action));
        return;
      }
      this.below /= 2;
      this.items = this.items.filter(({ id }) => this.isKept(id));
    }
  }

  private isKept(id: string): boolean {
    return this.below === ALL_IDS || Number.parseInt(id.slice(0, 8), 16) < this.below;
  }
}
