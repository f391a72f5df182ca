import type { ClosedTrade, DayClose, PortfolioRecording, RecordedFill, TradeOrigin } from '@moon/domain';
import type { ConsensusDecision, ReportInput } from '../report/report-input';

const DAY_MS = 86_400_000;
const START = Date.UTC(2022, 0, 1);
const DAYS = 365;
const INSTRUMENT = 'BTCUSDT.BINANCE-SPOT';
const START_EQUITY = 200_000;
const FEE_SHARE = 0.0005;
const CANDLES = 1_460;
const AGENTS = ['trading_agent', 'chart_agent', 'sentiment_agent', 'funding_agent'];

interface Prices {
  at: (ms: number) => number;
  candleMs: number;
  candles: ReportInput['candles'][number];
}

/**
 * What a run of a year that flips its position at every one of `fillCount` fills would leave behind, for tests and
 * benchmarks of the report: consistent to the cent, seeded, and made without running anything.
 */
export function syntheticReportInput(fillCount: number): ReportInput {
  const next = random(2_022);
  const prices = walk(next);
  const fills = flips(fillCount, prices, next);
  const decisions = fills.map((fill, i) => decisionOf(fill, i, next));
  const trades = fills.slice(1).map((closing, i) => tradeBetween(fills[i]!, closing, { prices, decisions, i }));
  const recording = recordingOf(fills, trades, prices);
  const approved = decisions.filter(({ outcome }) => outcome === 'approved').length;
  const kept = decisions.slice(0, 3_000);
  return {
    run: runFacts(fillCount),
    portfolios: [recording],
    benchmark: {
      instrument: INSTRUMENT,
      startPrice: prices.at(START),
      days: recording.days.map(({ day }) => ({ day, close: prices.at(day + DAY_MS - 1) })),
    },
    candles: [prices.candles],
    decisions: {
      approved,
      failed: 412,
      failedByReason: { below_threshold: 380, not_enough_agents: 32 },
      agents: AGENTS.map((agent, i) => ({
        agent,
        votes: approved + 412,
        counted: approved + 380,
        withApproved: approved - Math.floor(approved * 0.1 * i),
        againstApproved: Math.floor(approved * 0.1 * i),
        inFailed: 380,
        meanConfidence: 0.8 - i * 0.08,
        meanScore: 78 - i * 4,
      })),
      kept,
    },
    dataQuality: {
      instruments: [
        {
          instrument: INSTRUMENT,
          rows: 525_471,
          firstAt: START,
          lastAt: START + DAYS * DAY_MS - 60_000,
          intervalMs: 60_000,
          gapCount: 2,
          missingRows: 129,
          longestGaps: [
            { from: START + 100 * DAY_MS, to: START + 100 * DAY_MS + 120 * 60_000, missingRows: 119 },
            { from: START + 200 * DAY_MS, to: START + 200 * DAY_MS + 11 * 60_000, missingRows: 10 },
          ],
          zeroVolumeRows: 7,
        },
      ],
      duplicatesCollapsed: 3,
      conflicts: 0,
      outOfOrder: 0,
      refusedByReason: { price_not_positive: 1 },
      rules: [
        'A gap is left a gap: no bar is made up, orders wait for the next price.',
        'A bar without volume fills nothing and moves no price.',
        'Exact repeats are collapsed and counted.',
      ],
    },
  };
}

/** Cuts a report's input to its first day. */
export function oneDay({ portfolios, benchmark, candles }: ReportInput): void {
  const endsAt = START + DAY_MS - 1;
  const [main] = portfolios;
  if (main === undefined) return;
  const days = main.days.slice(0, 1);
  const fills = main.fills.filter(({ at }) => at <= endsAt);
  const curve = main.curve.filter(({ at }) => at <= endsAt);
  const trades = main.trades.filter(({ closedAt }) => closedAt <= endsAt);
  Object.assign(main, { endsAt, days, curve, fills, trades, finalEquity: days[0]!.equity, open: [] });
  Object.assign(main, { worst: { depth: 0, amount: 0, peakAt: START, troughAt: START }, exposedMs: 0 });
  if (benchmark !== null) benchmark.days = benchmark.days.slice(0, 1);
  for (const columns of candles)
    for (const column of [columns.at, columns.open, columns.high, columns.low, columns.close]) column.length = 4;
}

/** Numbers in 0…1 of a linear congruential generator: the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff;
}

const cents = (value: number): number => Math.round(value * 100) / 100;
const money = (value: number): string => cents(value).toFixed(2);

/** An id in the form of a UUID, different for every kind and number. */
const uuid = (kind: number, number: number): string =>
  `${Math.imul(number + 1, 0x9e3779b1 ^ kind)
    .toString(16)
    .replace('-', 'a')
    .padStart(8, '0')
    .slice(-8)}-${kind.toString(16).padStart(4, '0')}-5000-8000-${number.toString(16).padStart(12, '0')}`;

function walk(next: () => number): Prices {
  const candleMs = (DAYS * DAY_MS) / CANDLES;
  const candles = { instrument: INSTRUMENT, intervalMs: candleMs, at: [0], open: [0], high: [0], low: [0], close: [0] };
  for (const column of [candles.at, candles.open, candles.high, candles.low, candles.close]) column.length = 0;
  let price = 46_200;
  for (let i = 0; i < CANDLES; i += 1) {
    const open = cents(price);
    price = Math.max(9_000, price * (1 + (next() - 0.503) * 0.036));
    const close = cents(price);
    candles.at.push(START + i * candleMs);
    candles.open.push(open);
    candles.high.push(cents(Math.max(open, close) * (1 + next() * 0.008)));
    candles.low.push(cents(Math.min(open, close) * (1 - next() * 0.008)));
    candles.close.push(close);
  }
  const at = (ms: number): number => {
    const place = Math.min(CANDLES - 1, Math.max(0, (ms - START) / candleMs));
    const i = Math.floor(place);
    return cents(candles.open[i]! + (candles.close[i]! - candles.open[i]!) * (place - i));
  };
  return { at, candleMs, candles };
}

function flips(count: number, prices: Prices, next: () => number): RecordedFill[] {
  const step = Math.floor((DAYS * DAY_MS - DAY_MS) / count / 60_000) * 60_000;
  return Array.from({ length: count }, (_, i) => {
    const at = START + DAY_MS / 2 + i * step;
    const isBuy = i % 2 === 0;
    // Minutes are noisier than candles of hours, and a lucky hand about pays for the fees.
    const luck = (isBuy ? -1 : 1) * 0.0006;
    const price = cents(prices.at(at) * (1 + (next() - 0.5) * 0.016 + luck));
    const quantity = i === 0 ? 1 : 2;
    return {
      id: uuid(1, i),
      orderId: uuid(2, i),
      at,
      token: 'BTC',
      instrument: INSTRUMENT,
      side: isBuy ? 'buy' : 'sell',
      quantity: String(quantity),
      price: money(price),
      fee: money(cents(price * FEE_SHARE) * quantity),
      liquidity: 'taker',
      priceStamp: at - 60_000,
    } satisfies RecordedFill;
  });
}

function decisionOf(fill: RecordedFill, i: number, next: () => number): ConsensusDecision {
  const action: 'BUY' | 'SELL' = fill.side === 'buy' ? 'BUY' : 'SELL';
  const votes: ConsensusDecision['votes'] = AGENTS.slice(0, 1 + (i % AGENTS.length)).map((agent) => ({
    agent,
    action: next() < 0.85 ? action : 'HOLD',
    confidence: Math.round((0.4 + next() * 0.6) * 100) / 100,
    score: Math.round(60 + next() * 40),
    weight: 1,
    counted: true,
  }));
  const isFailed = i % 31 === 30;
  return {
    id: uuid(3, i),
    at: fill.at - 1,
    token: 'BTC',
    outcome: isFailed ? 'failed' : 'approved',
    action,
    score: isFailed ? 48 + Math.round(next() * 18) : 70 + Math.round(next() * 300) / 10,
    threshold: 70,
    reason: isFailed ? 'below_threshold' : 'certain',
    votes,
  };
}

const originOf = (fill: RecordedFill, decision: ConsensusDecision): TradeOrigin => ({
  eventId: fill.id,
  orderId: fill.orderId,
  reason: 'consensus',
  decisionId: decision.id,
  agents: decision.votes.map(({ agent }) => ({ agent, share: 1 / decision.votes.length })),
});

function tradeBetween(
  opening: RecordedFill,
  closing: RecordedFill,
  { prices, decisions, i }: { prices: Prices; decisions: ConsensusDecision[]; i: number },
): ClosedTrade {
  const sign = opening.side === 'buy' ? 1 : -1;
  const [entryPrice, exitPrice] = [Number(opening.price), Number(closing.price)];
  const gross = cents(sign * (exitPrice - entryPrice));
  const fees = cents(cents(entryPrice * FEE_SHARE) + cents(exitPrice * FEE_SHARE));
  const middle = sign * (prices.at((opening.at + closing.at) / 2) - entryPrice);
  return {
    id: uuid(4, i),
    token: 'BTC',
    instrument: INSTRUMENT,
    side: sign === 1 ? 'long' : 'short',
    quantity: '1',
    openedAt: opening.at,
    closedAt: closing.at,
    entryPrice,
    exitPrice,
    grossPnl: money(gross),
    fees: money(fees),
    funding: '0',
    netPnl: money(gross - fees),
    mae: Math.min(0, gross, middle) - 11.5,
    mfe: Math.max(0, gross, middle) + 9.25,
    entry: originOf(opening, decisions[i]!),
    exit: originOf(closing, decisions[i + 1]!),
  };
}

function recordingOf(fills: RecordedFill[], trades: ClosedTrade[], prices: Prices): PortfolioRecording {
  const last = fills[fills.length - 1]!;
  const endsAt = START + DAYS * DAY_MS - 1;
  const openFee = cents(Number(last.price) * FEE_SHARE);
  const sign = last.side === 'buy' ? 1 : -1;
  const unrealised = cents(sign * (prices.at(endsAt) - Number(last.price)));
  let [realised, next] = [START_EQUITY, 0];
  const equityAt = (at: number): number => {
    while (next < trades.length && trades[next]!.closedAt <= at)
      realised = cents(realised + Number(trades[next++]!.netPnl));
    return realised;
  };
  const days: DayClose[] = [];
  const curve = [{ at: START, equity: START_EQUITY }];
  for (let i = 0; i < DAYS; i += 1) {
    for (let part = 1; part <= 4; part += 1) {
      const at = START + i * DAY_MS + (part * DAY_MS) / 4 - 1;
      const isEnd = at >= endsAt;
      const equity = isEnd ? cents(equityAt(at) + unrealised - openFee) : equityAt(at);
      curve.push({ at, equity });
      if (part < 4) continue;
      const exposure = i === 0 ? 0 : prices.at(at) / equity;
      days.push({ day: START + i * DAY_MS, equity: money(equity), flow: '0', exposure });
    }
  }
  let [peak, peakAt] = [START_EQUITY, START];
  const worst = { depth: 0, amount: 0, peakAt: START, troughAt: START };
  for (const { at, equity } of curve) {
    if (equity > peak) [peak, peakAt] = [equity, at];
    const depth = equity / peak - 1;
    if (depth < worst.depth) Object.assign(worst, { depth, amount: equity - peak, peakAt, troughAt: at });
  }
  const finalEquity = days[days.length - 1]!.equity;
  return {
    portfolio: 'main',
    settlementAsset: 'USDT',
    startsAt: START,
    endsAt,
    startEquity: money(START_EQUITY),
    finalEquity,
    finalCash: money(Number(finalEquity) - sign * prices.at(endsAt)),
    observations: 525_600,
    days,
    worst,
    curve,
    trades,
    fills,
    fundings: [],
    open: [
      {
        token: 'BTC',
        instrument: INSTRUMENT,
        side: sign === 1 ? 'long' : 'short',
        quantity: '1',
        openedAt: last.at,
        entryPrice: Number(last.price),
        markPrice: prices.at(endsAt),
        unrealisedPnl: money(unrealised),
        fees: money(openFee),
        funding: '0',
      },
    ],
    exposedMs: endsAt - fills[0]!.at,
    meanExposure: 0.031,
  };
}

function runFacts(fillCount: number): ReportInput['run'] {
  return {
    id: uuid(5, 0),
    name: 'SMA 20/50 flip, synthetic',
    codeVersion: '0.1.0',
    status: 'complete',
    statusReason: null,
    configuration: {
      agents: { sma: { fast: 20, slow: 50 } },
      consensus: { threshold: 70, minimumAgents: 1 },
      venue: { fees: { takerBps: 5 } },
      portfolios: [{ name: 'main', deposit: '1000000', sizing: { kind: 'target', quantity: '1' } }],
    },
    configurationHash: '3f'.repeat(32),
    data: {
      sources: ['BTCUSDT-1m-2022.csv.gz'],
      instruments: [INSTRUMENT],
      firstAt: START,
      lastAt: START + DAYS * DAY_MS - 60_000,
      fingerprint: 'a1'.repeat(32),
    },
    seed: 1,
    eventHash: 'b2'.repeat(32),
    stateHash: 'c3'.repeat(32),
    events: 1_200_345,
    eventsByType: {
      'bar.closed': 525_471,
      'bar.opened': 525_471,
      'trade.executed': fillCount,
      'trade.placed': fillCount,
    },
    refusedByReason: { distance_to_liquidation: 4 },
    limits: { evaluated: fillCount * 9, breaches: { max_position: 4 } },
    bars: 525_471,
    ticks: 0,
    wallSeconds: 1.84,
    barsPerSecond: 285_582,
  };
}
