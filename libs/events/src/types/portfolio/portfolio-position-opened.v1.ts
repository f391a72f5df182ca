import { defineEvent } from '../../define';
import {
  about,
  DecNonNeg,
  DecPos,
  InstrumentId,
  Optional,
  Portfolio,
  PositionSide,
  Timestamp,
  Token,
} from '../../fields';

export const portfolioPositionOpened = defineEvent({
  type: 'portfolio.position_opened',
  version: 1,
  category: 'portfolio',
  doc: 'A position that was there at the start; the venue books it too (rule 14).',
  topic: 'portfolio.events',
  key: 'portfolio',
  stream: 'portfolio',
  fields: {
    portfolio: Portfolio,
    token: Token,
    instrument: InstrumentId,
    side: PositionSide,
    quantity: DecPos,
    price: DecPos,
    margin: Optional(about(DecNonNeg, 'Isolated margin of the position.')),
    timestamp: Timestamp,
  },
  example: {
    portfolio: 'main',
    token: 'BTC',
    instrument: 'BTC.HYPERLIQUID',
    side: 'long',
    quantity: '1',
    price: '100000',
    margin: '10000',
    timestamp: 1729949000000,
  },
});
