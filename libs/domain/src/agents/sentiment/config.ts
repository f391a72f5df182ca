import { Type, type Static } from '@sinclair/typebox';
import { openingSchema } from '../../agent-kit';

const HOUR = 3_600_000;

const sourceSchema = Type.Object(
  {
    prefix: Type.String({
      minLength: 0,
      maxLength: 200,
      description: 'Applies to sources whose name starts with this; the first rule that fits is taken.',
    }),
    weight: Type.Number({
      default: 1,
      exclusiveMinimum: 0,
      maximum: 100,
      description: 'How much this source counts against others.',
    }),
    halfLifeMs: Type.Integer({
      default: 12 * HOUR,
      minimum: 1_000,
      description: 'Time in which what the source said loses half its weight, in milliseconds.',
    }),
    staleAfterMs: Type.Integer({
      default: 36 * HOUR,
      minimum: 1_000,
      description: 'After this long without an update the source counts for nothing, in milliseconds.',
    }),
    contrarianAtExtremes: Type.Boolean({
      default: false,
      description: 'Read extreme bullishness as a reason to sell and extreme bearishness as a reason to buy.',
    }),
  },
  { additionalProperties: false },
);
export type SentimentSourceRule = Static<typeof sourceSchema>;

/** Configuration of the sentiment agent. */
export const sentimentAgentConfigSchema = Type.Object(
  {
    agent: Type.String({
      default: 'sentiment_agent',
      minLength: 1,
      maxLength: 200,
      description: 'Name in signals, windows and subscriptions.',
    }),
    sources: Type.Array(sourceSchema, {
      default: [
        { prefix: 'fear', weight: 1, halfLifeMs: 24 * HOUR, staleAfterMs: 36 * HOUR, contrarianAtExtremes: false },
        {
          prefix: 'tradingview',
          weight: 1,
          halfLifeMs: 4 * HOUR,
          staleAfterMs: 24 * HOUR,
          contrarianAtExtremes: false,
        },
        { prefix: '', weight: 1, halfLifeMs: 12 * HOUR, staleAfterMs: 36 * HOUR, contrarianAtExtremes: false },
      ],
      description: 'How sources age and count. A source that no rule fits is ignored; the prefix "" fits all.',
    }),
    maxEvidence: Type.Number({
      default: 3,
      exclusiveMinimum: 0,
      maximum: 1_000,
      description:
        'Most evidence (sum of decayed confidences) one source can have, so that a talkative one does not drown the others.',
    }),
    evidenceScale: Type.Number({
      default: 0.5,
      exclusiveMinimum: 0,
      maximum: 1_000,
      description: 'Evidence at which confidence has reached 63 % of its maximum.',
    }),
    maxConfidence: Type.Number({
      default: 0.9,
      minimum: 0,
      maximum: 1,
      description: 'Confidence with unlimited evidence.',
    }),
    velocityHours: Type.Number({
      default: 0.25,
      minimum: 0,
      maximum: 168,
      description: 'How many hours of the present velocity (points of bullish_pct an hour) are added to bullish_pct.',
    }),
    actionAt: Type.Number({
      default: 0.25,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'Lean (−1 to 1) from which the agent takes a side; 0.25 is 62.5 % bullish.',
    }),
    extremeLow: Type.Number({
      default: 15,
      minimum: 0,
      maximum: 50,
      description: 'bullish_pct at or below which contrarian sources are turned round.',
    }),
    extremeHigh: Type.Number({
      default: 85,
      minimum: 50,
      maximum: 100,
      description: 'bullish_pct at or above which contrarian sources are turned round.',
    }),
    opening: openingSchema,
  },
  { additionalProperties: false, description: 'Sentiment agent: what people say about the token.' },
);
export type SentimentAgentConfig = Static<typeof sentimentAgentConfigSchema>;
