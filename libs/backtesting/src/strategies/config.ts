import { Type, type Static } from '@sinclair/typebox';

/** A user's agent in a backtest. */
export const strategyConfigSchema = Type.Object(
  {
    path: Type.String({
      minLength: 1,
      maxLength: 1_000,
      description:
        'Module that exports createAgents(config, { name }): .ts, .js, .mjs or .cjs; from the configuration’s folder.',
    }),
    name: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,60}$',
        description: 'Name under which it votes: the `agent` of its signals; default: the name of the file.',
      }),
    ),
    weight: Type.Number({
      default: 1,
      minimum: 0,
      maximum: 1_000,
      description:
        'How much its vote weighs in the consensus beside the others; 0 = it is recorded, but decides nothing.',
    }),
    config: Type.Unknown({ default: {}, description: 'Handed to createAgents.' }),
  },
  { additionalProperties: false },
);
export type StrategyConfig = Static<typeof strategyConfigSchema>;
