import { defineEvent } from '../../define';
import { about, InstrumentId, IntPos, Ms, NumNonNeg, Optional, Px, Token, True } from '../../fields';

export const barClosed = defineEvent({
  type: 'bar.closed',
  version: 1,
  category: 'market',
  doc: 'A candle ended: open, high, low, close and volume, at its stamp plus its interval (rule 12).',
  topic: 'market.bars',
  key: 'token',
  fields: {
    token: Token,
    instrument: InstrumentId,
    intervalMs: about(IntPos, 'Length of the bar in milliseconds.'),
    open: Px,
    high: Px,
    low: Px,
    close: Px,
    volume: about(NumNonNeg, 'Traded volume in base asset.'),
    timestamp: about(Ms, 'Close of the bar: openedAt + intervalMs.'),
    openedAt: Ms,
    derived: Optional(about(True, 'Built from ticks by the platform; a venue ignores it.')),
  },
  example: {
    token: 'BTC',
    instrument: 'BTCUSDT.BINANCE-SPOT',
    intervalMs: 60000,
    open: 46216.93,
    high: 46271.08,
    low: 46208.37,
    close: 46250,
    volume: 40.57574,
    timestamp: 1640995260000,
    openedAt: 1640995200000,
  },
});
