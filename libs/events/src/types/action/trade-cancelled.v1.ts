import { defineEvent } from '../../define';
import { DecNonNeg, Portfolio, Text, Timestamp, Token, Uuid } from '../../fields';

export const tradeCancelled = defineEvent({
  type: 'trade.cancelled',
  version: 1,
  category: 'action',
  doc: 'An order ended at the venue by a cancel, perhaps filled in part.',
  topic: 'trade.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    token: Token,
    filledQuantity: DecNonNeg,
    reason: Text,
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    token: 'BTC',
    filledQuantity: '0.05',
    reason: 'force close',
    timestamp: 1729950004100,
  },
});
