import { defineEvent } from '../../define';
import { about, InstrumentId, IntNonNeg, ListOf, Optional, Timestamp, Token } from '../../fields';
import { BOOK_LEVELS, bookLevelSchema } from '../../shapes';

export const bookSnapshot = defineEvent({
  type: 'book.snapshot',
  version: 1,
  category: 'market',
  doc: 'An order book as its source showed it at one moment, as deep as it was shown. It replaces what was known before.',
  topic: 'market.books',
  key: 'token',
  fields: {
    token: Token,
    instrument: InstrumentId,
    bids: about(ListOf(bookLevelSchema, BOOK_LEVELS), 'Best first.'),
    asks: about(ListOf(bookLevelSchema, BOOK_LEVELS), 'Best first.'),
    updateId: Optional(about(IntNonNeg, 'Number of the last update that is in it, where the source counts them.')),
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    instrument: 'BTCUSDT.BINANCE-USDM',
    bids: [
      { price: 61800.2, size: 2.909 },
      { price: 61800.1, size: 0.696 },
    ],
    asks: [{ price: 61800.3, size: 2.51 }],
    updateId: 5123107852948,
    timestamp: 1723161256493,
  },
});
