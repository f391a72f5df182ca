import { Type, type Static } from '@sinclair/typebox';
import { limitsConfigSchema } from '../../risk';

const violationType = Type.Union([
  Type.Literal('price_move'),
  Type.Literal('leverage'),
  Type.Literal('liquidation_risk'),
  Type.Literal('drawdown'),
  Type.Literal('daily_loss'),
  Type.Literal('exposure'),
  Type.Literal('state_mismatch'),
]);
export type ViolationType = Static<typeof violationType>;

/** Configuration of the risk agent. The bounds themselves are the limits of each portfolio (`limitsConfigSchema`). */
export const riskAgentConfigSchema = Type.Object(
  {
    limits: Type.Partial(limitsConfigSchema, {
      default: {},
      description: 'Bounds for every portfolio that does not set its own.',
    }),
    moveThreshold: Type.Number({
      default: 0.05,
      exclusiveMinimum: 0,
      maximum: 10,
      description: 'Price move within the window, up or down, that is alerted when a position is at stake. 0.05 = 5 %.',
    }),
    moveWindowMs: Type.Integer({
      default: 300_000,
      minimum: 1_000,
      maximum: 86_400_000,
      description: 'Length of the window of price moves, in milliseconds of event time.',
    }),
    warningDistance: Type.Number({
      default: 0.15,
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Distance to liquidation below which a warning is given, ahead of the critical bound.',
    }),
    clearShare: Type.Number({
      default: 0.9,
      exclusiveMinimum: 0,
      maximum: 1,
      description:
        'A condition counts as cleared below this share of its bound (a distance: above the bound divided by it).',
    }),
    clearAfterMs: Type.Integer({
      default: 30_000,
      minimum: 0,
      maximum: 86_400_000,
      description: 'How long a condition must stay cleared before risk.ok, in milliseconds of event time.',
    }),
    haltOn: Type.Array(violationType, {
      default: ['leverage', 'drawdown', 'daily_loss'],
      description: 'Violations that ask for trading to be halted until risk.ok.',
    }),
    globalScope: Type.Array(violationType, {
      default: [],
      description: 'Violations whose halt is asked for globally instead of for the portfolio.',
    }),
    cascade: Type.Object(
      {
        threshold: Type.Number({
          default: 0.05,
          exclusiveMinimum: 0,
          maximum: 1,
          description: 'Expected loss from a liquidation cascade, as a share of equity, above which it is reported.',
        }),
        depth: Type.Number({
          default: 25_000_000,
          exclusiveMinimum: 0,
          maximum: 1e15,
          description: 'Liquidated notional, in quote asset, at which half of the worst move is expected.',
        }),
        worstMove: Type.Number({
          default: 0.1,
          exclusiveMinimum: 0,
          maximum: 1,
          description: 'Move that liquidations without end would cause, as a share of the price.',
        }),
        calmWeight: Type.Number({
          default: 0.5,
          minimum: 0,
          maximum: 1,
          description: 'Weight of liquidations that the normaliser does not call a cascade.',
        }),
        worsenBy: Type.Number({
          default: 1.5,
          exclusiveMinimum: 1,
          maximum: 100,
          description: 'A reported cascade is reported again when its impact has grown by this factor.',
        }),
      },
      { additionalProperties: false, default: {}, description: 'Impact of liquidation cascades.' },
    ),
    mismatchTolerance: Type.Number({
      default: 0.01,
      minimum: 0,
      maximum: 1,
      description:
        'Relative difference of equity between a snapshot and the own view that is taken for different prices.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Risk agent.' },
);
export type RiskAgentConfig = Static<typeof riskAgentConfigSchema>;
