import { defineEvent } from '../../define';
import { DecNonNeg, Portfolio, Timestamp, Token, Uuid } from '../../fields';

export const tradeExpired = defineEvent({
  type: 'trade.expired',
  version: 1,
  category: 'action',
  doc: 'An order ended because its time was over, perhaps filled in part.',
  topic: 'trade.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    token: Token,
    filledQuantity: DecNonNeg,
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    token: 'BTC',
    filledQuantity: '0',
    timestamp: 1729950030180,
  },
});
