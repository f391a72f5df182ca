import { Type, type Static, type TOptional, type TSchema } from '@sinclair/typebox';
import { platformConfigSchema, portfolioSettingsSchema } from '@moon/domain';
import { venueConfigSchema } from '../venue';

const whole = { additionalProperties: false, default: {} } as const;
const settings = portfolioSettingsSchema.properties;

/** A setting of a portfolio that is only there when it is given: what it is otherwise depends on the others. */
function ifGiven<S extends TSchema>(schema: S): TOptional<S> {
  const { default: _default, ...bare } = schema;
  return Type.Optional(bare as unknown as S) as TOptional<S>;
}

/** An instant: ISO 8601, or epoch milliseconds. */
const Instant = (description: string) =>
  Type.Optional(Type.Union([Type.String({ minLength: 1 }), Type.Integer({ minimum: 0 })], { description }));

const strategySchema = Type.Object(
  {
    path: Type.String({ minLength: 1, description: 'Module of the strategy; relative to the configuration’s folder.' }),
    name: Type.Optional(Type.String({ description: 'Name under which it votes; default: the name of the file.' })),
    weight: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000, description: 'Weight of its vote; default: 1.' })),
    config: Type.Optional(Type.Unknown({ description: 'Handed to the strategy.' })),
  },
  { additionalProperties: false },
);

/** `moon backtest`: what is run on what. Short forms (`instruments`, `initialBalance` …) make the one portfolio of most runs. */
export const backtestConfigSchema = Type.Object(
  {
    name: Type.String({ default: 'backtest', minLength: 1, maxLength: 80, description: 'Name of the backtest.' }),
    range: Type.Object(
      {
        start: Instant('First instant, ISO 8601 or epoch ms; default: where the data begin.'),
        end: Instant('End (exclusive), ISO 8601 or epoch ms; default: where the data end.'),
      },
      whole,
    ),
    data: Type.Object(
      {
        files: Type.Array(Type.String({ minLength: 1 }), {
          default: [],
          description: 'Recorded files, each FILE or FILE@VENUE; relative to the configuration’s folder.',
        }),
        run: Type.Optional(
          Type.String({
            minLength: 1,
            description: 'A run of the store whose market data are replayed, e.g. imported.',
          }),
        ),
      },
      whole,
    ),
    warmUpMs: Type.Integer({
      default: 21_600_000,
      minimum: 0,
      maximum: 31_622_400_000,
      description: 'How much of the data before the range’s start warms the agents up, ms.',
    }),
    ticks: Type.Union([Type.Literal('none'), Type.Literal('ohlc')], {
      default: 'none',
      description: 'none = bars as they are; ohlc = each bar becomes four ticks, open, high, low, close.',
    }),
    instruments: Type.Optional(
      Type.Array(Type.String({ minLength: 3, maxLength: 60 }), {
        minItems: 1,
        description:
          'What the one portfolio trades, e.g. BTCUSDT.BINANCE-SPOT; default: everything that the data price.',
      }),
    ),
    initialBalance: Type.Optional(
      Type.Union([Type.Number({ minimum: 0 }), Type.String({ pattern: settings.deposit.pattern })], {
        description: 'Start balance of the one portfolio, in settlement asset; default: 100000.',
      }),
    ),
    accountModel: ifGiven(settings.accountModel),
    marginMode: ifGiven(settings.marginMode),
    leverage: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'Leverage of the one portfolio at the venue; default: 1.',
      }),
    ),
    settlementAsset: ifGiven(settings.settlementAsset),
    sizing: ifGiven(settings.sizing),
    limits: ifGiven(settings.limits),
    portfolios: Type.Optional(
      Type.Array(portfolioSettingsSchema, {
        minItems: 1,
        description: 'Several portfolios, or one in every detail; in place of the short forms.',
      }),
    ),
    benchmark: Type.Optional(
      Type.String({ description: 'Instrument that is bought and held for comparison; default: the first one traded.' }),
    ),
    agents: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          'The platform’s own agents that take part, e.g. [trading, chart]; default: all. Strategies are no part of it.',
      }),
    ),
    strategies: Type.Array(strategySchema, { default: [], description: 'Agents of your own, by path.' }),
    platform: Type.Composite([Type.Omit(platformConfigSchema, ['portfolios'])], {
      ...whole,
      description: 'How agents, consensus, execution and limits are set; as in the settings of npm start.',
    }),
    venue: { ...venueConfigSchema, default: {}, description: 'Venue model: fees, slippage, latency, fills.' },
    modelLatency: Type.Object(
      {
        minMs: Type.Integer({
          default: 0,
          minimum: 0,
          maximum: 60_000,
          description: 'Fastest answer of the model, ms.',
        }),
        maxMs: Type.Integer({ default: 0, minimum: 0, maximum: 60_000, description: 'Slowest answer, ms.' }),
      },
      whole,
    ),
    orderTimeToLiveMs: Type.Integer({
      default: 600_000,
      minimum: 1_000,
      maximum: 86_400_000,
      description: 'Life of signed orders, ms of the run’s time.',
    }),
    seed: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 4_294_967_295,
      description: 'Seed of everything that is drawn.',
    }),
    watchdogMs: Type.Integer({
      default: 30_000,
      minimum: 1_000,
      maximum: 3_600_000,
      description: 'How long the run may stand still before it is ended, wall ms.',
    }),
  },
  { additionalProperties: false },
);

export type BacktestConfig = Static<typeof backtestConfigSchema>;

/** A backtest that cannot be run as it is asked for: what is wrong, and what would be right. One sentence or a few. */
export class BacktestRefused extends Error {
  override readonly name = 'BacktestRefused';
}
