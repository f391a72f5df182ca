import { defineEvent } from '../../define';
import { about, InstrumentId, Px, Qty, Side, Timestamp, Token } from '../../fields';

export const marketLiquidation = defineEvent({
  type: 'market.liquidation',
  version: 1,
  category: 'market',
  doc: 'A forced order as its source reported it, values untouched (rule 10).',
  topic: 'market.liquidations',
  key: 'token',
  fields: {
    token: Token,
    instrument: InstrumentId,
    side: about(Side, 'Side of the forced order; sell = a long was liquidated.'),
    price: Px,
    size: about(Qty, 'In base asset.'),
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    instrument: 'BTCUSDT.BINANCE-USDM',
    side: 'sell',
    price: 36120.4,
    size: 1.204,
    timestamp: 1621425600000,
  },
});
