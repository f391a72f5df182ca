import { defineEvent } from '../../define';
import { about, IntNonNeg, ListOf, Ms, NumNonNeg, Percent, Shape, Str, Timestamp, Token, Uuid } from '../../fields';

export const consensusOpened = defineEvent({
  type: 'consensus.opened',
  version: 1,
  category: 'processing',
  doc: 'The first actionable signal of a token opened a voting window (rule 24).',
  topic: 'consensus.events',
  key: 'token',
  stream: 'consensus',
  fields: {
    token: Token,
    windowId: Uuid,
    openedBy: about(Str, 'The agent whose signal opened it.'),
    openingSignalId: Uuid,
    closesAt: Ms,
    voters: ListOf(Shape({ agent: Str, weight: NumNonNeg })),
    threshold: Percent,
    minimumAgents: IntNonNeg,
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    windowId: '5b3f1c52-63a1-5d9c-8f7e-1b8a7a6f0c01',
    openedBy: 'trading_agent',
    openingSignalId: '0f5a6f0e-93d2-5f3b-a0a4-6d6d4f5f9b02',
    closesAt: 1729950005000,
    voters: [
      { agent: 'trading_agent', weight: 1 },
      { agent: 'chart_agent', weight: 1 },
      { agent: 'sentiment_agent', weight: 0.5 },
      { agent: 'funding_agent', weight: 0.5 },
    ],
    threshold: 70,
    minimumAgents: 2,
    timestamp: 1729950000000,
  },
});
