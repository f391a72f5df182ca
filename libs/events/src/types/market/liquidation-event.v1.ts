import { defineEvent } from '../../define';
import { about, Bool, IntNonNeg, IntPos, NumNonNeg, Timestamp, Token } from '../../fields';

export const liquidationEvent = defineEvent({
  type: 'liquidation.event',
  version: 1,
  category: 'market',
  doc: 'Liquidations of a token counted over a window; derived from market.liquidation by a named normaliser.',
  topic: 'liquidation.events',
  key: 'token',
  fields: {
    token: Token,
    liquidation_count: IntNonNeg,
    cascade_indicator: about(Bool, 'The count or the notional is beyond the configured cascade bound.'),
    timestamp: Timestamp,
    longNotional: about(NumNonNeg, 'Liquidated longs in the window, quote asset.'),
    shortNotional: about(NumNonNeg, 'Liquidated shorts in the window, quote asset.'),
    windowMs: IntPos,
  },
  example: {
    token: 'BTC',
    liquidation_count: 150,
    cascade_indicator: true,
    timestamp: 1729950000000,
    longNotional: 8250000,
    shortNotional: 120000,
    windowMs: 60000,
  },
});
