import { defineEvent } from '../../define';
import { OneOf, Timestamp, Token, Uuid } from '../../fields';
import { decisionSchema } from '../../shapes';

export const signalConsensusFailed = defineEvent({
  type: 'signal.consensus_failed',
  version: 1,
  category: 'processing',
  doc: 'A consensus window ended without an approval; with the whole decision (US2-6).',
  topic: 'consensus.events',
  key: 'token',
  stream: 'consensus',
  fields: {
    token: Token,
    windowId: Uuid,
    reason: OneOf('below_threshold', 'not_enough_agents', 'no_confidence', 'cooldown', 'vetoed_halt', 'parked'),
    decision: decisionSchema,
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    windowId: '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01',
    reason: 'below_threshold',
    decision: {
      rule: 'weighted-confidence-v1',
      threshold: 70,
      minimumAgents: 2,
      scores: { BUY: 41.25, SELL: null },
      votes: [
        {
          agent: 'trading_agent',
          weight: 1,
          action: 'BUY',
          confidence: 0.85,
          score: 78,
          signalId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
          counted: true,
        },
        {
          agent: 'chart_agent',
          weight: 1,
          action: 'HOLD',
          confidence: 0,
          score: 0,
          signalId: null,
          counted: false,
          note: 'no answer',
        },
      ],
      decidedBecause: 'window_end',
      openedAt: 1729950000000,
      decidedAt: 1729950005000,
    },
    timestamp: 1729950005000,
  },
});
