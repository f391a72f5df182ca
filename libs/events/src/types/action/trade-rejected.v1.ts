import { defineEvent } from '../../define';
import {
  about,
  InstrumentId,
  ListOf,
  OneOf,
  Optional,
  Portfolio,
  Str,
  Text,
  Timestamp,
  Token,
  Uuid,
} from '../../fields';
import { breachSchema } from '../../shapes';

export const tradeRejected = defineEvent({
  type: 'trade.rejected',
  version: 1,
  category: 'action',
  doc: 'An order was refused: by the limits, by the venue, or before it could be routed.',
  topic: 'trade.events',
  key: 'portfolio',
  stream: 'order',
  fields: {
    order_id: Uuid,
    portfolio: Portfolio,
    token: Token,
    instrument: InstrumentId,
    reason: about(Str, 'Code of the reason.'),
    message: Text,
    stage: OneOf('limits', 'venue', 'routing'),
    breaches: Optional(ListOf(breachSchema)),
    timestamp: Timestamp,
  },
  example: {
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    portfolio: 'main',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    reason: 'max_leverage',
    message: 'Leverage would be 3.4, the limit is 3.',
    stage: 'limits',
    breaches: [{ code: 'max_leverage', message: 'Leverage would be 3.4.', value: 3.4, bound: 3 }],
    timestamp: 1729950000180,
  },
});
