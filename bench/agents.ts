import {
  createChartAgent,
  createFundingAgent,
  createSentimentAgent,
  createTradingAgent,
  recordOutbox,
  ruleBasedModel,
  type Handler,
} from '@moon/domain';
import type { AnyEvent, EmitData, EventType } from '@moon/events';
import { median, type BenchFigure } from './figure';

const START = 1_700_000_000_000 - (1_700_000_000_000 % 900_000);
const MINUTE = 60_000;
const BARS = 100_000;
const REPEATS = 3;

/** A repeatable random walk; a benchmark needs moving prices, not real ones. */
function walk(count: number): number[] {
  const prices: number[] = [];
  let price = 50_000;
  let seed = 7;
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    price *= 1 + (seed / 0x7fffffff - 0.5) * 0.002;
    prices.push(Math.round(price * 100) / 100);
  }
  return prices;
}

function event<T extends EventType>(type: T, index: number, data: EmitData<T>, occurredAt: number): AnyEvent {
  const id = `00000000-0000-5000-8000-${index.toString(16).padStart(12, '0')}`;
  const envelope = {
    id,
    type,
    schemaVersion: 1,
    source: 'bench',
    key: 'BTC',
    occurredAt,
    correlationId: id,
    causationId: null,
  };
  return { ...envelope, data: { event_type: type, ...data } } as unknown as AnyEvent;
}

function bars(prices: readonly number[]): AnyEvent[] {
  return prices.map((close, i) => {
    const open = prices[i - 1] ?? close;
    const openedAt = START + i * MINUTE;
    const range = { high: Math.max(open, close) * 1.0003, low: Math.min(open, close) * 0.9997 };
    const where = { token: 'BTC', instrument: 'BTCUSDT.BINANCE-SPOT', intervalMs: MINUTE, volume: 1 };
    return event(
      'bar.closed',
      i,
      { ...where, open, ...range, close, openedAt, timestamp: openedAt + MINUTE },
      openedAt + MINUTE,
    );
  });
}

function sentiment(prices: readonly number[]): AnyEvent[] {
  return prices.map((price, i) => {
    const at = START + i * MINUTE;
    const data = {
      token: 'BTC',
      bullish_pct: Math.floor(price % 100),
      velocity: 0,
      confidence: 0.5,
      source: 'bench',
      timestamp: at,
    };
    return event('sentiment.update', i, data, at);
  });
}

function funding(prices: readonly number[]): AnyEvent[] {
  return prices.map((price, i) => {
    const at = START + i * MINUTE;
    const rate = (Math.floor(price % 100) - 50) * 1e-6;
    const data = {
      token: 'BTC',
      instrument: 'BTC.HYPERLIQUID',
      rate,
      intervalHours: 1,
      status: 'predicted' as const,
      settlesAt: at,
      timestamp: at,
    };
    return event('funding.update', i, data, at);
  });
}

/** µs an event, median of the repeats, each with a fresh agent; the trading agent's questions are answered at once by the rule-based model. */
function microsecondsPerEvent(create: () => Handler, inputs: readonly AnyEvent[]): number {
  const repeats = Array.from({ length: REPEATS }, () => {
    const handler = create();
    const state: unknown = handler.initialState('BTC');
    let outbox = recordOutbox(0, 'BTC');
    const from = process.hrtime.bigint();
    for (const input of inputs) {
      if (outbox.emitted.length > 0) outbox = recordOutbox(input.occurredAt, 'BTC');
      (outbox as { now: number }).now = input.occurredAt;
      handler.handle(input, state, outbox);
      for (const emitted of outbox.emitted) {
        if (emitted.type === 'inference.requested')
          handler.handle(answered(emitted.data, input), state, recordOutbox(input.occurredAt, 'BTC'));
      }
    }
    return Number(process.hrtime.bigint() - from) / 1_000 / inputs.length;
  });
  return median(repeats);
}

function answered(request: EmitData<'inference.requested'>, cause: AnyEvent): AnyEvent {
  const { token, inferenceId, agent, timestamp } = request;
  const answer = ruleBasedModel(request);
  const data = {
    token,
    inferenceId,
    agent,
    model: 'rule-based-1',
    provider: 'rule-based',
    status: 'ok',
    answer,
    latencyMs: 0,
    timestamp,
  } as const;
  return event('inference.completed', 0, data, cause.occurredAt);
}

/** What delivering alone costs: a handler that does nothing. */
const idle: Handler = {
  name: 'agent/idle',
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['bar.closed'],
  initialState: () => ({}),
  handle: () => undefined,
};

/** Voting agents: µs for each input (no persistence, validation or hashing), beside a handler that does nothing in the same run. */
export async function run(): Promise<BenchFigure[]> {
  const prices = walk(BARS);
  const barEvents = bars(prices);
  const work: [string, () => Handler, AnyEvent[]][] = [
    ['trading: a bar, rule-based answers included', () => createTradingAgent(), barEvents],
    ['chart: a bar, read on 1, 5 and 15 min', () => createChartAgent(), barEvents],
    ['sentiment: an update', () => createSentimentAgent(), sentiment(prices)],
    ['funding: an update', () => createFundingAgent(), funding(prices)],
  ];
  const baseline = microsecondsPerEvent(() => idle, barEvents);
  return work.map(([metric, create, inputs]) => {
    const value = microsecondsPerEvent(create, inputs);
    return { bench: 'agents', metric, value, unit: 'µs', baseline, ratio: value / baseline };
  });
}
