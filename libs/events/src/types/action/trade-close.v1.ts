import { defineEvent } from '../../define';
import { about, DecPos, InstrumentId, Portfolio, Side, Text, Timestamp, Token } from '../../fields';

export const tradeClose = defineEvent({
  type: 'trade.close',
  version: 1,
  category: 'action',
  doc: 'A position is ordered to be closed (US1-3); the reduce-only order follows.',
  topic: 'trade.closings',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    token: Token,
    instrument: InstrumentId,
    reason: Text,
    side: about(Side, 'Side of the closing order.'),
    quantity: DecPos,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    reason: 'liquidation_risk',
    side: 'sell',
    quantity: '0.1156',
    timestamp: 1729950000000,
  },
});
