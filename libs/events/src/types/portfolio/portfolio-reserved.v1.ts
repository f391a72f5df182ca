import { defineEvent } from '../../define';
import { Bool, DecNonNeg, DecPos, InstrumentId, Portfolio, Side, Timestamp, Uuid } from '../../fields';

export const portfolioReserved = defineEvent({
  type: 'portfolio.reserved',
  version: 1,
  category: 'portfolio',
  doc: 'Room set aside for an order in flight (rule 16).',
  topic: 'portfolio.events',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    order_id: Uuid,
    instrument: InstrumentId,
    side: Side,
    quantity: DecPos,
    notional: DecNonNeg,
    reduceOnly: Bool,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    instrument: 'BTC.HYPERLIQUID',
    side: 'buy',
    quantity: '0.1156',
    notional: '4999.7578',
    reduceOnly: false,
    timestamp: 1729950000180,
  },
});
