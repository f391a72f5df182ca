import { defineEvent } from '../../define';
import { Bool, InstrumentId, Ms, Optional, Str, Text, Timestamp } from '../../fields';

export const feedGap = defineEvent({
  type: 'feed.gap',
  version: 1,
  category: 'system',
  doc: 'A feed lost data between two instants, and whether it could be filled.',
  topic: 'system.events',
  key: 'system',
  operational: true,
  fields: {
    feed: Str,
    instrument: Optional(InstrumentId),
    fromMs: Ms,
    toMs: Ms,
    filled: Bool,
    reason: Text,
    timestamp: Timestamp,
  },
  example: {
    feed: 'hyperliquid',
    instrument: 'BTC.HYPERLIQUID',
    fromMs: 1729950000000,
    toMs: 1729950012000,
    filled: true,
    reason: 'connection lost',
    timestamp: 1729950013000,
  },
});
