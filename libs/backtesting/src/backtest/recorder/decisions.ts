import type { AnyEvent } from '@moon/events';
import type { AgentVotes, ConsensusDecision, DecisionLog } from '../../report';

type Decided = Extract<AnyEvent, { type: 'trade.consensus_approved' | 'signal.consensus_failed' }>;

/** Windows of each outcome that are kept in detail at most. */
const MOST_KEPT = 2_000;

interface Tally extends Omit<AgentVotes, 'meanConfidence' | 'meanScore'> {
  confidence: number;
  score: number;
}

/** Counts every consensus window and keeps a bounded number of them in detail. */
export class DecisionRecorder {
  private readonly approved = new Thinned<ConsensusDecision>(MOST_KEPT);
  private readonly failed = new Thinned<ConsensusDecision>(MOST_KEPT);
  private readonly failedByReason: Record<string, number> = {};
  private readonly agents = new Map<string, Tally>();

  observe(event: Decided): void {
    const action = actionOf(event);
    this.count(event, action);
    if (event.type === 'trade.consensus_approved') {
      this.approved.add(() => detailsOf(event, action));
      return;
    }
    const { reason } = event.data;
    this.failedByReason[reason] = (this.failedByReason[reason] ?? 0) + 1;
    this.failed.add(() => detailsOf(event, action));
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

/** Keeps every one, then every second, fourth … of what it sees, so that what is kept is spread over the whole run. */
class Thinned<T> {
  items: T[] = [];
  seen = 0;
  private stride = 1;

  constructor(private readonly most: number) {}

  add(make: () => T): void {
    const isKept = this.seen % this.stride === 0;
    this.seen += 1;
    if (!isKept) return;
    if (this.items.length === this.most) {
      this.items = this.items.filter((_item, index) => index % 2 === 0);
      this.stride *= 2;
      if ((this.seen - 1) % this.stride !== 0) return;
    }
    this.items.push(make());
  }
}
