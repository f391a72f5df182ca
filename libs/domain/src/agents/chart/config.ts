import { Type, type Static } from '@sinclair/typebox';
import { openingSchema } from '../../agent-kit';

const lengthSchema = Type.Object(
  {
    minutes: Type.Integer({
      minimum: 1,
      maximum: 1_440,
      description: 'Length of the bars in minutes; built inside the agent from base bars.',
    }),
    weight: Type.Number({
      exclusiveMinimum: 0,
      maximum: 100,
      description: 'How much this length counts against the others.',
    }),
  },
  { additionalProperties: false },
);

/** Configuration of the chart agent. */
export const chartAgentConfigSchema = Type.Object(
  {
    agent: Type.String({
      default: 'chart_agent',
      minLength: 1,
      maxLength: 200,
      description: 'Name in signals, windows and subscriptions.',
    }),
    baseMinutes: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 1_440,
      description: 'Length in minutes of the bars that come in.',
    }),
    lengths: Type.Array(lengthSchema, {
      default: [
        { minutes: 1, weight: 0.25 },
        { minutes: 5, weight: 0.4 },
        { minutes: 15, weight: 0.35 },
      ],
      minItems: 1,
      maxItems: 8,
      description: 'Bar lengths that are read, each a multiple of the base length.',
    }),
    fastPeriod: Type.Integer({
      default: 9,
      minimum: 2,
      maximum: 500,
      description: 'Period of the fast exponential average.',
    }),
    slowPeriod: Type.Integer({
      default: 21,
      minimum: 3,
      maximum: 1_000,
      description: 'Period of the slow exponential average, whose slope is the trend.',
    }),
    atrPeriod: Type.Integer({
      default: 14,
      minimum: 2,
      maximum: 500,
      description: 'Period of the average true range, the unit of every distance.',
    }),
    channelPeriod: Type.Integer({
      default: 20,
      minimum: 3,
      maximum: 500,
      description: 'Bars in the Donchian channel and the Bollinger bands.',
    }),
    squeezeMemoryBars: Type.Integer({
      default: 6,
      minimum: 0,
      maximum: 500,
      description: 'A breakout within this many bars after a squeeze counts in full, others at 70 %.',
    }),
    breakoutDecay: Type.Number({
      default: 0.9,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'What is left of a breakout after each further bar.',
    }),
    patternDecay: Type.Number({
      default: 0.75,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'What is left of a pattern after each further bar.',
    }),
    actionAt: Type.Number({
      default: 0.5,
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'Combined lean (−1 to 1) from which the agent takes a side.',
    }),
    fullAt: Type.Number({
      default: 0.85,
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Combined lean at which score and confidence are at their highest.',
    }),
    maxBarAgeMs: Type.Integer({
      default: 180_000,
      minimum: 1_000,
      description: 'With no bar for this long the agent has no view, in ms.',
    }),
    opening: openingSchema,
  },
  { additionalProperties: false, description: 'Chart agent: trend, breakout and patterns on several bar lengths.' },
);
export type ChartAgentConfig = Static<typeof chartAgentConfigSchema>;
