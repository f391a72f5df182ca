import { Type, type Static } from '@sinclair/typebox';
import { platformConfigSchema } from '@moon/domain';
import { venueConfigSchema } from '@moon/backtesting';

const whole = { additionalProperties: false, default: {} } as const;

const feedSchema = Type.Object(
  {
    kind: Type.Union(
      [Type.Literal('auto'), Type.Literal('hyperliquid'), Type.Literal('synthetic'), Type.Literal('recorded')],
      {
        default: 'auto',
        description: 'auto = HyperLiquid when it can be reached, else synthetic.',
      },
    ),
    from: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Recorded files, each FILE or FILE@VENUE (e.g. trades.csv.gz@BINANCE-USDM).',
    }),
    speed: Type.Union([Type.Literal('1'), Type.Literal('10'), Type.Literal('max')], {
      default: 'max',
      description: 'Pace of recorded files: times real time, or as fast as possible.',
    }),
    ticks: Type.Union([Type.Literal('none'), Type.Literal('ohlc')], {
      default: 'none',
      description:
        'Recorded: ohlc makes each candle four ticks (open, high, low, close at 0, 1/4, 1/2, 3/4 of its length) instead of a bar.',
    }),
    start: Type.Optional(Type.String({ description: 'Recorded: first instant, ISO 8601.' })),
    warmupMs: Type.Integer({
      default: 21_600_000,
      minimum: 0,
      maximum: 2_678_400_000,
      description: 'Recorded: how much of the data before `start` warms the agents up, ms.',
    }),
    end: Type.Optional(Type.String({ description: 'Recorded: end (exclusive), ISO 8601.' })),
    tokens: Type.Array(Type.String({ minLength: 1, maxLength: 20 }), {
      default: ['BTC', 'ETH', 'SOL'],
      minItems: 1,
      description: 'Tokens of the live and synthetic feeds.',
    }),
    seed: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 4_294_967_295,
      description: 'Synthetic: seed of the random numbers.',
    }),
    pace: Type.Number({ default: 60, exclusiveMinimum: 0, maximum: 600, description: 'Synthetic: times real time.' }),
  },
  whole,
);

const venueSchema = Type.Object(
  {
    where: Type.Union([Type.Literal('inside'), Type.Literal('process')], {
      default: 'inside',
      description: 'The paper venue runs inside, or is a process of its own at `address`.',
    }),
    address: Type.String({
      default: '127.0.0.1:4010',
      pattern: '^[^:\\s]+:\\d{1,5}$',
      description: 'Host and port of the venue process.',
    }),
    orderTimeToLiveMs: Type.Integer({
      default: 15_000,
      minimum: 1_000,
      maximum: 600_000,
      description: 'Life of signed orders, ms; a synthetic feed’s pace stretches it.',
    }),
    paper: { ...venueConfigSchema, default: {} },
  },
  whole,
);

/** Settings of `npm start`: file, environment (MOON_…) and flags. */
export const standaloneConfigSchema = Type.Object(
  {
    port: Type.Integer({
      default: 3000,
      minimum: 0,
      maximum: 65_535,
      description: 'HTTP port on 127.0.0.1; 0 = any free one.',
    }),
    dataDir: Type.String({ default: '.moon', minLength: 1, description: 'Folder of logs, database and venue books.' }),
    logLevel: Type.Union(
      ['trace', 'debug', 'info', 'warn', 'error', 'silent'].map((level) => Type.Literal(level as 'info')),
      { default: 'warn', description: 'Least level that is logged (JSON lines on standard error).' },
    ),
    feed: feedSchema,
    venue: venueSchema,
    model: Type.Object(
      {
        minMs: Type.Integer({
          default: 100,
          minimum: 0,
          maximum: 60_000,
          description: 'Fastest answer of the rule-based model, run-time ms.',
        }),
        maxMs: Type.Integer({ default: 300, minimum: 0, maximum: 60_000, description: 'Slowest answer, run-time ms.' }),
      },
      whole,
    ),
    userAgents: Type.Array(Type.String(), {
      default: [],
      description: 'Paths of modules that export createAgents(config); each gets a thread of its own.',
    }),
    agentTimeoutMs: Type.Integer({
      default: 5_000,
      minimum: 50,
      maximum: 600_000,
      description: 'How long an agent may take for one event, wall ms.',
    }),
    checkpointMs: Type.Integer({
      default: 60_000,
      minimum: 1_000,
      maximum: 3_600_000,
      description: 'Wall time between checkpoints, ms.',
    }),
    platform: { ...platformConfigSchema, default: {} },
  },
  { additionalProperties: false },
);
export type StandaloneConfig = Static<typeof standaloneConfigSchema>;
