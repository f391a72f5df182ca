import { defineEvent } from '../../define';
import { about, InstrumentId, IntPos, Ms, Optional, Px, Token, True } from '../../fields';

export const barOpened = defineEvent({
  type: 'bar.opened',
  version: 1,
  category: 'market',
  doc: 'A candle began: its opening price, at its stamp (rule 12).',
  topic: 'market.bars',
  key: 'token',
  fields: {
    token: Token,
    instrument: InstrumentId,
    intervalMs: about(IntPos, 'Length of the bar in milliseconds.'),
    open: Px,
    timestamp: about(Ms, 'Opening of the bar.'),
    derived: Optional(about(True, 'Built from ticks by the platform; a venue ignores it.')),
  },
  example: {
    token: 'BTC',
    instrument: 'BTCUSDT.BINANCE-SPOT',
    intervalMs: 60000,
    open: 46216.93,
    timestamp: 1640995200000,
  },
});
