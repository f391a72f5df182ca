import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox';
import { REPORT_VERSION, type BacktestReport } from './build-report';
import { metricsSchema } from './metrics-schema';
import { closed, counts, decimal, describe, hash, list, literals, nullable, share, text, time } from './schema-parts';

const origin = closed({
  eventId: text('Event id of the `trade.executed`, `portfolio.position_opened` or liquidation.'),
  orderId: nullable(text('Id of the order; null where there was none.')),
  reason: literals(['consensus', 'signal', 'force_close', 'operator', 'liquidation', 'initial', 'other']),
  decisionId: nullable(text('Event id of the decision behind it; null where there was none.')),
  agents: list(closed({ agent: text(), share: share('Of the decision; the shares sum to 1.') })),
});
const side = literals(['long', 'short']);

const recording = closed({
  portfolio: text(),
  settlementAsset: text('Asset of every amount of this portfolio.'),
  startsAt: time('First observation.'),
  endsAt: time('Last observation.'),
  startEquity: decimal('Equity before the first trade.'),
  finalEquity: decimal('Cash and positions marked to the last prices.'),
  finalCash: decimal(),
  observations: Type.Integer({ minimum: 0 }),
  days: list(
    closed({
      day: time('00:00 UTC.'),
      equity: decimal('At the last observation of the day.'),
      flow: decimal('Deposits less withdrawals within the day.'),
      exposure: share('Gross notional ÷ equity.'),
    }),
  ),
  worst: closed({
    depth: share('Of the peak, zero or below, over all observations.'),
    amount: Type.Number(),
    peakAt: time(),
    troughAt: time(),
  }),
  curve: list(closed({ at: time(), equity: Type.Number() })),
  trades: list(
    closed({
      id: text('Event id of its `position.closed`.'),
      token: text(),
      instrument: text(),
      side,
      quantity: decimal(),
      openedAt: time(),
      closedAt: time(),
      entryPrice: Type.Number(),
      exitPrice: Type.Number(),
      grossPnl: decimal('Before fees and funding.'),
      fees: decimal(),
      funding: decimal('Received; negative = paid.'),
      netPnl: decimal('grossPnl − fees + funding, exactly.'),
      mae: Type.Number({ description: 'Worst mark-to-market result while it was held, ≤ 0.' }),
      mfe: Type.Number({ description: 'Best mark-to-market result while it was held, ≥ 0.' }),
      entry: origin,
      exit: origin,
    }),
  ),
  fills: list(
    closed({
      id: text('Event id of the `trade.executed` or liquidation.'),
      orderId: nullable(text()),
      at: time(),
      token: text(),
      instrument: text(),
      side: literals(['buy', 'sell']),
      quantity: decimal(),
      price: decimal(),
      notional: Type.Optional(decimal('|value|; absent = quantity × price.')),
      fee: decimal(),
      liquidity: literals(['maker', 'taker']),
      priceStamp: time('Stamp of the observation that made the price.'),
    }),
  ),
  fundings: list(
    closed({ at: time(), token: text(), instrument: text(), rate: Type.Number(), amount: decimal('Negative = paid.') }),
  ),
  open: list(
    closed({
      token: text(),
      instrument: text(),
      side,
      quantity: decimal(),
      openedAt: time(),
      entryPrice: Type.Number(),
      markPrice: Type.Number(),
      unrealisedPnl: decimal(),
      realisedPnl: Type.Optional(decimal('Of what has been closed of it, before fees and funding.')),
      fees: decimal(),
      funding: decimal(),
      entry: Type.Optional(origin),
    }),
  ),
  exposedMs: Type.Number({ description: 'Milliseconds with any position.' }),
  meanExposure: share('Time-weighted mean of gross exposure ÷ equity.'),
});

const run = closed({
  id: text(),
  name: text(),
  codeVersion: text(),
  status: describe(literals(['complete', 'partial']), 'partial: every figure covers only a part of the range.'),
  statusReason: nullable(text()),
  configuration: Type.Record(Type.String(), Type.Unknown(), {
    description: 'All defaults filled in, secrets left out.',
  }),
  configurationHash: hash('Of the configuration as canonical JSON.'),
  data: closed({
    sources: list(text()),
    instruments: list(text()),
    firstAt: time(),
    lastAt: time(),
    fingerprint: hash('Of the input in the order it was played.'),
  }),
  seed: Type.Number(),
  eventHash: nullable(hash('Over every emitted event in order.')),
  stateHash: nullable(hash('Over the final state.')),
  events: Type.Integer({ minimum: 0 }),
  eventsByType: counts(),
  refusedByReason: counts(),
  limits: closed({ evaluated: Type.Integer({ minimum: 0 }), breaches: counts() }),
  bars: Type.Integer({ minimum: 0 }),
  ticks: Type.Integer({ minimum: 0 }),
  wallSeconds: Type.Number({ minimum: 0 }),
  barsPerSecond: Type.Number({ minimum: 0 }),
});

const numbers = () => list(Type.Number());
const candles = closed({
  instrument: text(),
  intervalMs: Type.Number(),
  at: list(time('Stamps of the opens.')),
  open: numbers(),
  high: numbers(),
  low: numbers(),
  close: numbers(),
});

const count = () => Type.Integer({ minimum: 0 });
const decisions = closed({
  approved: count(),
  failed: count(),
  failedByReason: counts(),
  agents: list(
    closed({
      agent: text(),
      votes: count(),
      counted: count(),
      withApproved: count(),
      againstApproved: count(),
      inFailed: count(),
      meanConfidence: Type.Number(),
      meanScore: Type.Number(),
    }),
  ),
  kept: list(
    closed({
      id: text('Event id of the `trade.consensus_approved` or `signal.consensus_failed`.'),
      at: time(),
      token: text(),
      outcome: literals(['approved', 'failed']),
      action: nullable(literals(['BUY', 'SELL'])),
      score: nullable(Type.Number({ description: '0…100.' })),
      threshold: Type.Number(),
      reason: text(),
      votes: list(
        closed({
          agent: text(),
          action: literals(['BUY', 'SELL', 'HOLD']),
          confidence: Type.Number(),
          score: Type.Number(),
          weight: Type.Number(),
          counted: Type.Boolean({ description: 'Whether the vote entered a score.' }),
        }),
      ),
    }),
  ),
});

const dataQuality = closed({
  instruments: list(
    closed({
      instrument: text(),
      rows: count(),
      firstAt: time(),
      lastAt: time(),
      intervalMs: nullable(Type.Number()),
      gapCount: count(),
      missingRows: count(),
      longestGaps: list(closed({ from: time(), to: time(), missingRows: count() })),
      zeroVolumeRows: count(),
    }),
  ),
  duplicatesCollapsed: count(),
  conflicts: count(),
  outOfOrder: count(),
  refusedByReason: counts(),
  rules: list(text('How a kind of finding is handled.')),
});

const reportSchema = closed({
  reportVersion: Type.Literal(REPORT_VERSION),
  run,
  portfolios: list(closed({ recording, metrics: metricsSchema })),
  benchmark: nullable(
    closed({
      instrument: text(),
      startPrice: Type.Number(),
      days: list(closed({ day: time('00:00 UTC.'), close: Type.Number() })),
    }),
  ),
  candles: list(candles),
  decisions,
  dataQuality,
});

/** JSON Schema of the report, as docs/backtest-report.schema.json publishes it. */
export function backtestReportSchema(): TSchema {
  const schema: TObject = Type.Object(reportSchema.properties, {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Backtest report of Moon EDA',
    description:
      'Times are epoch milliseconds UTC; amounts are exact decimals as text in the settlement asset of their portfolio; shares are fractions of 1; null = undefined, with the reason in `undefinedBecause`.',
    additionalProperties: false,
  });
  // Symbols and undefined values of the library are no part of the published schema.
  return JSON.parse(JSON.stringify(schema)) as TSchema;
}

type MutuallyAssignable<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** Does not compile when the schema and the type of the report say different things. */
const isTheSame: MutuallyAssignable<Static<typeof reportSchema>, BacktestReport> = true;
void isTheSame;
