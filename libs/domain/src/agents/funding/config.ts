import { Type, type Static } from '@sinclair/typebox';
import { openingSchema } from '../../agent-kit';

/** Configuration of the funding agent. All rates are annual fractions: 0.5 = 50 % a year. */
export const fundingAgentConfigSchema = Type.Object(
  {
    agent: Type.String({
      default: 'funding_agent',
      minLength: 1,
      maxLength: 200,
      description: 'Name in signals, windows and subscriptions.',
    }),
    neutralApr: Type.Number({
      default: 0.1095,
      minimum: -10,
      maximum: 10,
      description:
        'Annual funding rate that says nothing about crowding: the interest part, 0.01 % per 8 h = 0.00125 % per hour.',
    }),
    mildExcess: Type.Number({
      default: 0.1,
      exclusiveMinimum: 0,
      maximum: 100,
      description: 'Excess over neutral (annual) from which the paying side is followed.',
    }),
    mildUpTo: Type.Number({
      default: 0.35,
      exclusiveMinimum: 0,
      maximum: 100,
      description:
        'Excess up to which the paying side is followed; between this and extremeExcess the agent stands aside.',
    }),
    extremeExcess: Type.Number({
      default: 0.5,
      exclusiveMinimum: 0,
      maximum: 100,
      description: 'Excess from which the paying side counts as crowded and the agent speaks against it.',
    }),
    fullExcess: Type.Number({
      default: 1.5,
      exclusiveMinimum: 0,
      maximum: 1_000,
      description: 'Excess at which score and confidence are at their highest.',
    }),
    followMild: Type.Boolean({
      default: true,
      description: 'Whether mild crowding is followed at all; otherwise it is HOLD.',
    }),
    staleIntervals: Type.Number({
      default: 2,
      exclusiveMinimum: 1,
      maximum: 100,
      description:
        'Funding intervals after which a rate counts for nothing; it fades linearly from the first interval on.',
    }),
    opening: openingSchema,
  },
  { additionalProperties: false, description: 'Funding agent: crowding seen in funding rates.' },
);
export type FundingAgentConfig = Static<typeof fundingAgentConfigSchema>;
