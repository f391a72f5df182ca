import { defineEvent } from '../../define';
import { about, InstrumentId, NumNonNeg, OneOf, Optional, Px, Qty, Side, Str, Timestamp, Token } from '../../fields';

export const priceTick = defineEvent({
  type: 'price.tick',
  version: 1,
  category: 'market',
  doc: 'A price of one instrument changed. Every price carries its instrument and kind (rule 11).',
  topic: 'price.ticks',
  key: 'token',
  fields: {
    token: Token,
    price: Px,
    volume_1m: about(NumNonNeg, 'Quote volume traded in (t − 60 s, t].'),
    timestamp: Timestamp,
    instrument: InstrumentId,
    kind: OneOf('last', 'mark', 'oracle', 'bid', 'ask'),
    size: Optional(about(Qty, 'Traded size in base asset; on a trade only.')),
    side: Optional(about(Side, 'Side of the taker; on a trade only.')),
    tradeId: Optional(Str),
  },
  example: {
    token: 'BTC',
    price: 43250.5,
    volume_1m: 1500000,
    timestamp: 1729950000000,
    instrument: 'BTC.HYPERLIQUID',
    kind: 'last',
    size: 0.25,
    side: 'buy',
    tradeId: '118906512037719',
  },
});
