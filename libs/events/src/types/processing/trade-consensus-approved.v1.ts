import { defineEvent } from '../../define';
import { about, ListOf, NumPos, OneOf, Percent, Share, Str, Timestamp, Token, Uuid } from '../../fields';
import { decisionSchema } from '../../shapes';

export const tradeConsensusApproved = defineEvent({
  type: 'trade.consensus_approved',
  version: 1,
  category: 'processing',
  doc: 'The weighted score of a consensus window is above its threshold: trade. With the whole decision (US2-6).',
  topic: 'consensus.events',
  key: 'token',
  stream: 'consensus',
  fields: {
    token: Token,
    consensus_score: Percent,
    contributing_agents: ListOf(Str),
    recommended_action: OneOf('BUY', 'SELL'),
    windowId: Uuid,
    confidence: about(Share, 'Weighted mean confidence of the contributing agents.'),
    sizeFactor: about(NumPos, 'Multiple of the usual size.'),
    decision: decisionSchema,
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    consensus_score: 82,
    contributing_agents: ['trading_agent', 'chart_agent'],
    recommended_action: 'BUY',
    windowId: '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01',
    confidence: 0.84,
    sizeFactor: 1,
    decision: {
      rule: 'weighted-confidence-v1',
      threshold: 70,
      minimumAgents: 2,
      scores: { BUY: 82, SELL: 0 },
      votes: [
        {
          agent: 'trading_agent',
          weight: 1,
          action: 'BUY',
          confidence: 0.85,
          score: 84,
          signalId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
          counted: true,
        },
        {
          agent: 'chart_agent',
          weight: 1,
          action: 'BUY',
          confidence: 0.83,
          score: 80,
          signalId: 'c1f5b5a0-58a3-53a3-9d0e-2f3d2ad0ce03',
          counted: true,
        },
      ],
      decidedBecause: 'certain',
      openedAt: 1729950000000,
      decidedAt: 1729950000180,
    },
    timestamp: 1729950000180,
  },
});
