import { createVenueEngine, signPaperOrder } from '@moon/backtesting';
import type { AnyEvent } from '@moon/events';
import { canonicalJson, type OrderPayload } from '@moon/kernel';
import { median, type BenchFigure } from './figure';

const INSTRUMENT = 'BTCUSDT.BINANCE-SPOT';
const START = 1_640_995_200_000;
const MINUTE = 60_000;
const BARS = 200_000;
const ORDERS = 20_000;
const REPEATS = 3;
/** Far below the walk: it rests to the end. */
const LIMIT = 100;

/** A seeded walk as bar.opened and bar.closed, two events a bar, as an import gives them. */
function barEvents(): AnyEvent[] {
  const events: AnyEvent[] = [];
  let seed = 7;
  const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff;
  let price = 40_000;
  for (let i = 0; i < BARS; i += 1) {
    const openedAt = START + i * MINUTE;
    const open = Math.round(price * 100) / 100;
    price *= 1 + (next() - 0.5) * 0.002;
    const close = Math.round(price * 100) / 100;
    const base = { token: 'BTC', instrument: INSTRUMENT, intervalMs: MINUTE };
    const bar = {
      ...base,
      open,
      high: Math.max(open, close) + 1,
      low: Math.min(open, close) - 1,
      close,
      volume: 1 + next(),
    };
    events.push(envelope('bar.opened', openedAt, { ...base, open, timestamp: openedAt }));
    events.push(envelope('bar.closed', openedAt + MINUTE, { ...bar, openedAt, timestamp: openedAt + MINUTE }));
  }
  return events;
}

function envelope(type: AnyEvent['type'], occurredAt: number, data: Record<string, unknown>): AnyEvent {
  const facts = { schemaVersion: 1, source: 'bench', key: 'BTC', correlationId: 'x', causationId: null };
  return {
    id: `${type}-${occurredAt}`,
    type,
    occurredAt,
    ...facts,
    data: { event_type: type, ...data },
  } as unknown as AnyEvent;
}

function openEngine() {
  const engine = createVenueEngine({ fees: { takerBps: 5 } });
  engine.openAccount({
    portfolio: 'bench',
    accountModel: 'cash-short-credit',
    settlementAsset: 'USDT',
    deposit: '1000000',
    leverage: { [INSTRUMENT]: 1 },
    signingKey: 'bench',
    openedAt: START,
  });
  return engine;
}

function order(nonce: number, sentAt: number, more: Partial<OrderPayload>) {
  const payload: OrderPayload = {
    account: 'bench',
    instrument: INSTRUMENT,
    side: nonce % 2 === 0 ? 'buy' : 'sell',
    quantity: '1',
    orderType: 'MARKET',
    timeInForce: 'GTC',
    reduceOnly: false,
    clientOrderId: `bench-${nonce}`,
    nonce,
    expiresAt: sentAt + MINUTE,
    sentAt,
    ...more,
  };
  const text = canonicalJson(payload);
  const { clientOrderId, expiresAt } = payload;
  const orderId = '00000000-0000-5000-8000-000000000001';
  return {
    portfolio: 'bench',
    orderId,
    clientOrderId,
    nonce,
    expiresAt,
    payload: text,
    signature: signPaperOrder(text, 'bench'),
  };
}

/** Bars a second through the engine while one limit order rests. */
function throughEngine(events: readonly AnyEvent[]): number {
  const engine = openEngine();
  engine.market(events[0]!);
  engine.submit(order(2, START, { orderType: 'LIMIT', limitPrice: String(LIMIT) }));
  const from = process.hrtime.bigint();
  for (const event of events) engine.market(event);
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  if (engine.books('bench').openOrders.length !== 1)
    throw new Error('The resting order is gone: the workload was not the one meant.');
  return BARS / seconds;
}

/** The least that the same work could cost: the same events, the newest price kept, the limit compared. */
function bareLoop(events: readonly AnyEvent[]): number {
  let last = 0;
  let fills = 0;
  const from = process.hrtime.bigint();
  for (const event of events) {
    if (event.type === 'bar.opened') {
      last = event.data.open;
      if (last < LIMIT) fills += 1;
    } else if (event.type === 'bar.closed') {
      if (event.data.low < LIMIT) fills += 1;
      last = event.data.close;
    }
  }
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  if (fills !== 0 || last === 0) throw new Error('The bare loop saw other prices than the engine.');
  return BARS / seconds;
}

/** Orders a second: submitted, signature checked, accepted, filled, booked, reported; beside the signature check alone. */
function ordersThrough(first: AnyEvent): { orders: number; signatures: number } {
  const engine = openEngine();
  engine.market(first);
  const orders = Array.from({ length: ORDERS }, (_, i) => order(i + 1, START + i, {}));
  const from = process.hrtime.bigint();
  for (const each of orders) engine.submit(each);
  const between = process.hrtime.bigint();
  for (const each of orders)
    if (signPaperOrder(each.payload, 'bench') !== each.signature) throw new Error('A signature differs.');
  const to = process.hrtime.bigint();
  if (engine.books('bench').lastVenueSeq !== 2 * ORDERS) throw new Error('Not every order was accepted and filled.');
  return { orders: ORDERS / (Number(between - from) / 1e9), signatures: ORDERS / (Number(to - between) / 1e9) };
}

/** The matching and margin engine (no persistence, no validation, no hashing), each beside the least work in the same run. */
export async function run(): Promise<BenchFigure[]> {
  const events = barEvents();
  const runs = Array.from({ length: REPEATS }, () => ({
    bars: throughEngine(events),
    bare: bareLoop(events),
    ...ordersThrough(events[0]!),
  }));
  const figure = (metric: string, value: number, baseline: number): BenchFigure => {
    return { bench: 'venue', metric, value, unit: '1/s', baseline, ratio: value / baseline };
  };
  return [
    figure(
      'bars (opened and closed) with one resting order',
      median(runs.map((each) => each.bars)),
      median(runs.map((each) => each.bare)),
    ),
    figure(
      'market orders, signature to fill',
      median(runs.map((each) => each.orders)),
      median(runs.map((each) => each.signatures)),
    ),
  ];
}
