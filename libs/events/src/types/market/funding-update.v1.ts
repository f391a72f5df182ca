import { defineEvent } from '../../define';
import { about, InstrumentId, Ms, Num, NumPos, OneOf, Optional, Px, Timestamp, Token } from '../../fields';

export const fundingUpdate = defineEvent({
  type: 'funding.update',
  version: 1,
  category: 'market',
  doc: 'A funding rate of a perpetual: settled, or predicted for the next settlement.',
  topic: 'funding.updates',
  key: 'token',
  fields: {
    token: Token,
    instrument: InstrumentId,
    rate: about(Num, 'Share of the notional; positive: longs pay shorts.'),
    intervalHours: NumPos,
    status: OneOf('settled', 'predicted'),
    settlesAt: Ms,
    oraclePrice: Optional(Px),
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    rate: 0.0000125,
    intervalHours: 1,
    status: 'settled',
    settlesAt: 1729951200000,
    oraclePrice: 43248,
    timestamp: 1729951200000,
  },
});
