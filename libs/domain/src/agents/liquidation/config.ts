import { Type, type Static } from '@sinclair/typebox';

/** Configuration of the liquidation agent. */
export const liquidationAgentConfigSchema = Type.Object(
  {
    agent: Type.String({
      default: 'liquidation_agent',
      minLength: 1,
      maxLength: 200,
      description: 'Name in signals and subscriptions.',
    }),
    signals: Type.Union([Type.Literal('off'), Type.Literal('follow'), Type.Literal('fade')], {
      default: 'off',
      description:
        'off: only watch. follow: go with a cascade as it grows (longs liquidated: SELL). fade: go against it once it is over (longs liquidated: BUY).',
    }),
    dominance: Type.Number({
      default: 0.7,
      exclusiveMinimum: 0.5,
      maximum: 1,
      description: 'Share of the liquidated notional that must lie on one side for a cascade to have a direction.',
    }),
    quietMs: Type.Integer({
      default: 60_000,
      minimum: 1_000,
      description: 'A cascade is over when nothing has confirmed it for this long, in milliseconds.',
    }),
    severeNotional: Type.Number({
      default: 250_000,
      exclusiveMinimum: 0,
      description: 'Liquidated notional (quote currency) at which severity is one half.',
    }),
    severeCount: Type.Integer({
      default: 10,
      minimum: 1,
      description: 'Liquidations in the window at which half the possible confidence is reached.',
    }),
    strengthenBy: Type.Number({
      default: 0.2,
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'follow: signal again when severity (0 to 1) has grown by this much.',
    }),
    maxConfidence: Type.Number({
      default: 0.8,
      minimum: 0,
      maximum: 1,
      description: 'Confidence of an overwhelming, entirely one-sided cascade.',
    }),
    fadeFactor: Type.Number({
      default: 0.5,
      minimum: 0,
      maximum: 1,
      description: 'fade: confidence in the turn as a share of that in the cascade.',
    }),
  },
  { additionalProperties: false, description: 'Liquidation agent: cascades of forced orders.' },
);
export type LiquidationAgentConfig = Static<typeof liquidationAgentConfigSchema>;
