import { defineEvent } from '../../define';
import { DecPos, InstrumentId, Portfolio, Timestamp, Token } from '../../fields';

export const portfolioLiquidated = defineEvent({
  type: 'portfolio.liquidated',
  version: 1,
  category: 'portfolio',
  doc: 'The venue closed a position for want of margin.',
  topic: 'portfolio.events',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    token: Token,
    instrument: InstrumentId,
    quantity: DecPos,
    price: DecPos,
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    quantity: '1',
    price: '91139.2',
    timestamp: 1729960000000,
  },
});
