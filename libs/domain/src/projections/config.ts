import { Type, type Static } from '@sinclair/typebox';

/** Configuration of the portfolio projection. */
export const portfolioProjectionConfigSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      description:
        'Whether the read model (state.snapshot, state.changed) is kept at all. Nothing that trades depends on it: a backtest that nobody watches does without.',
    }),
    snapshotEveryMs: Type.Integer({
      default: 300_000,
      minimum: 1_000,
      maximum: 86_400_000,
      description: 'A snapshot at every multiple of this event time (ms), as long as anything happens.',
    }),
    priceChangeEveryMs: Type.Integer({
      default: 1_000,
      minimum: 0,
      maximum: 3_600_000,
      description:
        'Least event time (ms) between two state.changed that only prices caused. Booked changes never wait.',
    }),
    significantMove: Type.Number({
      default: 0.01,
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Change of equity since the last snapshot, as a share, that is worth another one.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Projection of portfolios.' },
);
export type PortfolioProjectionConfig = Static<typeof portfolioProjectionConfigSchema>;
