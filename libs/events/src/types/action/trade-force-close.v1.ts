import { defineEvent } from '../../define';
import { InstrumentId, OneOf, Optional, Portfolio, Text, Timestamp, Token, Uuid } from '../../fields';

export const tradeForceClose = defineEvent({
  type: 'trade.force_close',
  version: 1,
  category: 'action',
  doc: 'A step of the force-close saga: HALT, cancel, close reduce-only, verify flat, release (RSK-5).',
  topic: 'trade.closings',
  key: 'portfolio',
  stream: 'force-close',
  fields: {
    portfolio: Portfolio,
    sagaId: Uuid,
    stage: OneOf('started', 'halted', 'cancelling', 'closing', 'retrying', 'flat', 'released', 'failed'),
    token: Optional(Token),
    instrument: Optional(InstrumentId),
    reason: Text,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    sagaId: 'e2d1c0b9-a887-5665-8443-221100ffee06',
    stage: 'closing',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    reason: 'BTC.HYPERLIQUID is 8.4 % from liquidation.',
    timestamp: 1729950000000,
  },
});
