import { defineEvent } from '../../define';
import { about, Nullable, Num, Percent, Share, Str, Timestamp, Token } from '../../fields';

export const sentimentUpdate = defineEvent({
  type: 'sentiment.update',
  version: 1,
  category: 'market',
  doc: 'Sentiment of a token on one scale; derived from market.sentiment by a named normaliser.',
  topic: 'sentiment.updates',
  key: 'token',
  fields: {
    token: Token,
    bullish_pct: Percent,
    velocity: about(
      Nullable(Num),
      'Change of bullish_pct, percentage points per hour; null = the first reading of its source.',
    ),
    confidence: Share,
    timestamp: Timestamp,
    source: about(Str, 'Source of the readings that it is derived from.'),
  },
  example: {
    token: 'SOL',
    bullish_pct: 72,
    velocity: 15,
    confidence: 0.78,
    timestamp: 1729950000000,
    source: 'tradingview-ideas',
  },
});
