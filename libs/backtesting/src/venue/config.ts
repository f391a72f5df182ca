import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { MOST_DAYS } from './models/fee-tables';

const Ms = (description: string) => Type.Integer({ minimum: 0, maximum: 86_400_000, default: 0, description });
const NonNegative = (initial: number, description: string) =>
  Type.Number({ minimum: 0, default: initial, description });

/** One leg of the way between platform and venue: `minMs` when both are equal, else drawn between them (both included). */
const delaySchema = (description: string) =>
  Type.Object(
    { minMs: Ms('Shortest delay, ms.'), maxMs: Ms('Longest delay, ms; equal to minMs = fixed.') },
    { additionalProperties: false, default: {}, description },
  );

const feeTableSchema = Type.Object(
  {
    windowDays: Type.Integer({ minimum: 1, maximum: MOST_DAYS, description: 'Whole UTC days whose volume counts.' }),
    tiers: Type.Array(
      Type.Object(
        {
          above: Type.Number({ minimum: 0, description: 'Quote volume that must be exceeded; 0 in the first tier.' }),
          makerBps: Type.Number({ minimum: -100, maximum: 1_000 }),
          takerBps: Type.Number({ minimum: -100, maximum: 1_000 }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 50, description: 'Rising by `above`.' },
    ),
  },
  { additionalProperties: false },
);

const feesSchema = Type.Object(
  {
    makerBps: Type.Union([Type.Null(), Type.Number({ minimum: -100, maximum: 1_000 })], {
      default: null,
      description: 'Fee of a resting order that is filled, in basis points of its value; null = the instrument’s.',
    }),
    takerBps: Type.Union([Type.Null(), Type.Number({ minimum: -100, maximum: 1_000 })], {
      default: null,
      description: 'Fee of an order that is filled against the market, in basis points; null = the instrument’s.',
    }),
    tiers: Type.Union([Type.Literal('none'), Type.Literal('venue'), feeTableSchema], {
      default: 'none',
      description:
        'Whether fees fall with the traded volume: not, by the table of the venue that trades the instrument, or by this one. A rate named above stands.',
    }),
  },
  { additionalProperties: false, default: {} },
);

const slippageSchema = Type.Object(
  {
    bps: NonNegative(0, 'Fixed part, in basis points of the price, against the taker.'),
    impact: NonNegative(0, 'Part that grows with the square of the share of the traded volume (see models/slippage).'),
  },
  { additionalProperties: false, default: {} },
);

const latencySchema = Type.Object(
  {
    feed: delaySchema('How much later than it happened the platform sees a market event; it delays what it decides.'),
    order: delaySchema('From the platform to the venue.'),
    ack: delaySchema('From the venue to the platform: reports.'),
  },
  { additionalProperties: false, default: {} },
);

const liquiditySchema = Type.Object(
  {
    participation: Type.Union([Type.Null(), Type.Number({ exclusiveMinimum: 0, maximum: 1 })], {
      default: null,
      description: 'Most of each observation’s traded volume that one account may take; null = no limit.',
    }),
  },
  { additionalProperties: false, default: {} },
);

const bookSchema = Type.Object(
  {
    queue: Type.Union([Type.Literal('conservative'), Type.Literal('probabilistic'), Type.Literal('none')], {
      default: 'conservative',
      description:
        'How a resting order comes forward in the queue of its price where an order book is fed (see models/queue); none = by limitFill.',
    }),
    power: Type.Number({
      exclusiveMinimum: 0,
      maximum: 10,
      default: 3,
      description: 'n of the probabilistic queue: the greater, the more of a decrease stood behind.',
    }),
    maxAgeMs: Type.Integer({
      minimum: 0,
      default: 10_000,
      description: 'A book this much older than the last trade is not walked any more.',
    }),
  },
  { additionalProperties: false, default: {} },
);

const marginSchema = Type.Object(
  {
    judgedOn: Type.Union([Type.Literal('close'), Type.Literal('extremes')], {
      default: 'close',
      description:
        'Which prices of a bar a margin account is judged on: its open and close, or also its worst price. A bar’s extremes are last prices, liquidation goes by the mark, which is smoother; so the default is close.',
    }),
    partialAbove: NonNegative(100_000, 'A position above this notional is first liquidated in part.'),
    partialShare: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.2,
      description: 'Share of it that the first liquidation order takes.',
    }),
    cooldownMs: Type.Integer({
      minimum: 0,
      default: 30_000,
      description: 'Wait after a partial liquidation; later orders take the whole position.',
    }),
    backstopShare: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 2 / 3,
      description: 'Equity below this share of the maintenance margin: the backstop takes position and margin.',
    }),
    liquidationFeeBps: Type.Union([Type.Null(), Type.Number({ minimum: 0, maximum: 1_000 })], {
      default: null,
      description: 'Fee of a liquidation beside the taker’s, in basis points of its value; null = the venue’s.',
    }),
    callRatio: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.8,
      description: 'A margin call is reported when maintenance ÷ equity reaches this.',
    }),
    callClears: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.7,
      description: 'Below this ratio the margin call is over and another one may follow.',
    }),
  },
  { additionalProperties: false, default: {} },
);

/** Everything that decides how the venue behaves. It is an input: a durable venue writes it to its journal. */
export const venueConfigSchema = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 40,
      default: 'paper',
      description: 'Name of the venue in its reports.',
    }),
    seed: Type.String({ maxLength: 80, default: 'moon', description: 'Seed of drawn latencies.' }),
    priceSources: Type.Record(Type.String(), Type.String(), {
      default: {},
      description: 'Instrument that is traded → instrument whose prices it trades at; default: its own.',
    }),
    fundingSources: Type.Record(Type.String(), Type.String(), {
      default: {},
      description: 'Instrument that is traded → instrument whose funding it pays; default: its own.',
    }),
    marketFill: Type.Union([Type.Literal('last'), Type.Literal('next')], {
      default: 'last',
      description: 'A market order is filled at the price known when it arrives, or at the next observation.',
    }),
    limitFill: Type.Union([Type.Literal('through'), Type.Literal('touch')], {
      default: 'through',
      description: 'A resting limit order is filled when the market trades through its price, or already at it.',
    }),
    stopTrigger: Type.Union([Type.Literal('mark'), Type.Literal('last')], {
      default: 'mark',
      description: 'Price that triggers stop orders; without a mark it is the last price.',
    }),
    quoteMaxAgeMs: Type.Integer({
      minimum: 0,
      default: 5_000,
      description: 'A quote this much older than the last trade no longer prices market orders.',
    }),
    staleAfterMs: Type.Union([Type.Null(), Type.Integer({ minimum: 0 })], {
      default: null,
      description:
        'A price this old fills nothing: what would take waits for the next one. null = two bar lengths where bars are fed, else no bound.',
    }),
    barPath: Type.Union(
      [
        Type.Literal('adverse'),
        Type.Literal('direction'),
        Type.Literal('nearest'),
        Type.Literal('high-first'),
        Type.Literal('low-first'),
      ],
      { default: 'adverse', description: 'In which order the prices inside a bar came (see models/bar-path).' },
    ),
    fees: feesSchema,
    slippage: slippageSchema,
    latency: latencySchema,
    liquidity: liquiditySchema,
    book: bookSchema,
    margin: marginSchema,
    keepReports: Type.Integer({
      minimum: 1,
      default: 10_000,
      description: 'Newest reports of a portfolio that stay in memory.',
    }),
    keepOrders: Type.Integer({
      minimum: 1,
      default: 10_000,
      description: 'Newest finished orders of a portfolio that can still be queried.',
    }),
  },
  { additionalProperties: false },
);

export type VenueConfig = Static<typeof venueConfigSchema>;

/** A part of the configuration, at any depth. */
export type PartialVenueConfig = {
  [K in keyof VenueConfig]?: VenueConfig[K] extends Record<string, string> | string | number | null
    ? VenueConfig[K]
    : Partial<{
        [P in keyof VenueConfig[K]]: VenueConfig[K][P] extends object ? Partial<VenueConfig[K][P]> : VenueConfig[K][P];
      }>;
};

/**
 * The whole configuration: the schema's defaults with `given` over them. A delay's `maxMs` is at least its `minMs`.
 *
 * @throws Error that names the key, the value and the rule when something does not fit.
 */
export function completeVenueConfig(given: PartialVenueConfig = {}): VenueConfig {
  const whole = Value.Default(venueConfigSchema, structuredClone(given)) as VenueConfig;
  const problem = Value.Errors(venueConfigSchema, whole).First();
  if (problem) {
    const value = (JSON.stringify(problem.value) ?? 'undefined').slice(0, 80);
    throw new Error(`Configuration of the paper venue: ${problem.path || '/'} is ${value}; ${problem.message}.`);
  }
  checkTiers(whole.fees.tiers);
  for (const leg of ['feed', 'order', 'ack'] as const) {
    const delay = whole.latency[leg];
    delay.maxMs = Math.max(delay.minMs, delay.maxMs);
  }
  return whole;
}

function checkTiers(table: VenueConfig['fees']['tiers']): void {
  if (typeof table === 'string') return;
  const isRising = table.tiers.every((tier, index) => tier.above > (table.tiers[index - 1]?.above ?? -1));
  if (table.tiers[0]?.above === 0 && isRising) return;
  throw new Error('Configuration of the paper venue: /fees/tiers must begin at 0 and rise by `above`.');
}
