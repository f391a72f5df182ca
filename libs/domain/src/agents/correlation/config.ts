import { Type, type Static } from '@sinclair/typebox';

const HOUR = 3_600_000;

/** Configuration of the correlation agent. */
export const correlationAgentConfigSchema = Type.Object(
  {
    windowMs: Type.Integer({
      default: HOUR,
      minimum: 60_000,
      maximum: 24 * HOUR,
      description: 'Sliding window of the correlation, in milliseconds.',
    }),
    sampleMs: Type.Integer({
      default: 60_000,
      minimum: 1_000,
      maximum: HOUR,
      description: 'Length of the bars at whose close sentiment and price are sampled, in milliseconds.',
    }),
    threshold: Type.Number({
      default: 0.7,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'A coefficient above this is detected.',
    }),
    hysteresis: Type.Number({
      default: 0.05,
      minimum: 0,
      maximum: 1,
      description: 'A detection stands until the coefficient has fallen this far below the threshold.',
    }),
    repeatMs: Type.Integer({
      default: 1_800_000,
      minimum: 0,
      description: 'A standing detection is said again after this long, in milliseconds. 0 = never.',
    }),
    minSamples: Type.Integer({
      default: 30,
      minimum: 3,
      maximum: 10_000,
      description: 'Fewest samples in the window that a coefficient is taken from.',
    }),
    minUpdates: Type.Integer({
      default: 3,
      minimum: 1,
      maximum: 1_000,
      description: 'Fewest sentiment updates of the source within the window: without changes nothing is correlated.',
    }),
    halfLifeMs: Type.Integer({
      default: HOUR,
      minimum: 60_000,
      description: 'Time in which an update loses half its weight in the sentiment index, in milliseconds.',
    }),
    maxSources: Type.Integer({
      default: 8,
      minimum: 1,
      maximum: 100,
      description: 'Sentiment sources followed per token; the one silent longest makes room.',
    }),
  },
  { additionalProperties: false, description: 'Correlation agent: sentiment and price moving together (US5).' },
);
export type CorrelationAgentConfig = Static<typeof correlationAgentConfigSchema>;
