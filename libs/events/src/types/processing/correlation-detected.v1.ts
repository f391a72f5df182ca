import { Type } from '@sinclair/typebox';
import { defineEvent } from '../../define';
import { IntNonNeg, IntPos, Num, OneOf, Optional, Str, Timestamp, Token } from '../../fields';

export const correlationDetected = defineEvent({
  type: 'correlation.detected',
  version: 1,
  category: 'processing',
  doc: 'Sentiment and price of a token moved together over the last hour beyond the threshold (US5-1).',
  topic: 'correlation.detected',
  key: 'token',
  fields: {
    token: Token,
    coefficient: Type.Number({ format: 'num15', minimum: -1, maximum: 1 }),
    threshold: Num,
    samples: IntNonNeg,
    windowMs: IntPos,
    direction: OneOf('up', 'down'),
    sentimentSource: Optional(Str),
    timestamp: Timestamp,
  },
  example: {
    token: 'SOL',
    coefficient: 0.81,
    threshold: 0.7,
    samples: 58,
    windowMs: 3600000,
    direction: 'up',
    sentimentSource: 'tradingview-ideas',
    timestamp: 1729950000000,
  },
});
