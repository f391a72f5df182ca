import { Type, type Static } from '@sinclair/typebox';
import { limitsConfigSchema } from '../risk';

/** Configuration of the execution owner; what a portfolio sets itself (limits, sizing) stands in its `portfolio.opened`. */
export const executionConfigSchema = Type.Object(
  {
    limits: Type.Partial(limitsConfigSchema, {
      default: {},
      description: 'Bounds for every portfolio that does not set its own.',
    }),
    slippageReserve: Type.Number({
      default: 0.005,
      minimum: 0,
      maximum: 0.5,
      description: 'Set aside on top of what an order is expected to cost, as a share of it.',
    }),
    shrinkToLimits: Type.Boolean({
      default: true,
      description: 'Whether a routed order that a limit finds too large is made smaller instead of refused.',
    }),
    maxSizeFactor: Type.Number({
      default: 2,
      minimum: 1,
      maximum: 3,
      description: 'The most by which an approval may raise the usual size.',
    }),
    approvalTimeToLiveMs: Type.Integer({
      default: 3_600_000,
      minimum: 1_000,
      description: 'Age of an approval or a signal, ms of event time, above which nothing is traded on it.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Owner of portfolios and orders.' },
);
export type ExecutionConfig = Static<typeof executionConfigSchema>;
