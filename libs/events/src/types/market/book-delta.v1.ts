import { defineEvent } from '../../define';
import { about, InstrumentId, IntNonNeg, ListOf, Optional, Timestamp, Token } from '../../fields';
import { BOOK_LEVELS, bookLevelSchema } from '../../shapes';

export const bookDelta = defineEvent({
  type: 'book.delta',
  version: 1,
  category: 'market',
  doc: 'Levels of an order book that changed: each size is the new one, 0 takes the level away.',
  topic: 'market.books',
  key: 'token',
  fields: {
    token: Token,
    instrument: InstrumentId,
    bids: ListOf(bookLevelSchema, BOOK_LEVELS),
    asks: ListOf(bookLevelSchema, BOOK_LEVELS),
    firstUpdateId: about(IntNonNeg, 'Number of the first update that it sums up (Binance: U).'),
    lastUpdateId: about(IntNonNeg, 'Number of the last one (u).'),
    previousUpdateId: Optional(
      about(IntNonNeg, 'lastUpdateId of the delta before it (pu): another one means that some are missing.'),
    ),
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    instrument: 'BTCUSDT.BINANCE-USDM',
    bids: [{ price: 61800.2, size: 2.507 }],
    asks: [{ price: 61800.3, size: 0 }],
    firstUpdateId: 5123107856267,
    lastUpdateId: 5123107858366,
    previousUpdateId: 5123107856210,
    timestamp: 1723161256513,
  },
});
