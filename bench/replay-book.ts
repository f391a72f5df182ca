import { existsSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { createVenueEngine, signPaperOrder, type VenueEngine } from '@moon/backtesting';
import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import type { AnyEvent } from '@moon/events';
import { RawRecording } from '@moon/infra';
import { canonicalJson, type OrderPayload } from '@moon/kernel';
import { median, type BenchFigure } from './figure';

/**
 * Trades, quotes and order book of 2024-08-08 (BTCUSDT, Binance USDⓈ-M, 94 k recorded messages) through the venue engine:
 * every delta is put into the book, orders rest in their queues, takers walk the levels. Left out: reading the file,
 * agents, ledger of the platform. Baseline in the same run: a plain loop over the same event objects that looks at every
 * price and every level once.
 */
const FILE = 'data/l2/binance-usdm-btcusdt-20240808-raw.txt.gz';
const VENUE = 'BINANCE-USDM';
const INSTRUMENT = `BTCUSDT.${VENUE}`;
const REPEATS = 5;
/** Events between two orders: a market order and a post-only one at the best bid in turn. */
const ORDER_EVERY = 1_000;

export async function run(): Promise<BenchFigure[]> {
  const events = await readBook();
  const rates: number[] = [];
  const bare: number[] = [];
  let fills = 0;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    bare.push(rate(events, () => bareLoop(events)));
    rates.push(rate(events, () => (fills = throughEngine(events))));
  }
  const [value, baseline] = [median(rates), median(bare)];
  const metric = `book and trades through the venue, ${events.length} events, ${fills} fills`;
  return [{ bench: 'replay-book', metric, value, unit: 'events/s', baseline, ratio: value / baseline }];
}

/** The recorded events, read and validated. @throws Error when the shared data are not there */
export async function readBook(): Promise<AnyEvent[]> {
  const path = join(process.env.MOON_SHARED ?? resolvePath(process.cwd(), '../shared'), FILE);
  if (!existsSync(path)) throw new Error(`${path} is missing: set MOON_SHARED to the folder that holds data/.`);
  const recording = new RawRecording({
    ...{ path, venue: VENUE, minuteVolume: minuteQuoteVolume, headers: { mode: 'recorded' } },
    resolve(venue, symbol) {
      const found = instrumentForFeed(venue, symbol);
      if (!found) throw new Error(`${symbol} of ${venue} is not known.`);
      return { instrument: found.id, token: found.token, fundingIntervalHours: found.fundingIntervalHours };
    },
  });
  const events: AnyEvent[] = [];
  for (let batch = await recording.nextBatch(); batch; batch = await recording.nextBatch()) events.push(...batch);
  return events;
}

/** Plays the events through an engine of its own; answers the fills. @throws Error when the orders met nothing */
export function throughEngine(events: readonly AnyEvent[]): number {
  const engine = createVenueEngine();
  const startsAt = events[0]?.occurredAt ?? 0;
  engine.openAccount({
    ...{ portfolio: 'bench', accountModel: 'margin', settlementAsset: 'USDT', deposit: '1000000' },
    ...{ leverage: { [INSTRUMENT]: 10 }, signingKey: 'bench', openedAt: startsAt },
  });
  let fills = 0;
  for (let index = 0; index < events.length; index += 1) {
    const event = events[index] as AnyEvent;
    fills += countFills(engine.market(event));
    if (index % ORDER_EVERY === ORDER_EVERY - 1)
      fills += countFills(engine.submit(order(engine, index, event.occurredAt)));
  }
  if (fills < 20) throw new Error(`Only ${fills} fills: the workload was not the one meant.`);
  return fills;
}

const countFills = (reports: ReturnType<VenueEngine['market']>): number =>
  reports.length === 0 ? 0 : reports.filter(({ kind }) => kind === 'filled').length;

function order(engine: VenueEngine, index: number, sentAt: number) {
  const bid = engine.state().markets[INSTRUMENT]?.bid ?? 0;
  const turn = Math.floor(index / ORDER_EVERY);
  const isTaker = turn % 2 === 0 || bid === 0;
  const payload: OrderPayload = {
    ...{ account: 'bench', instrument: INSTRUMENT, side: turn % 4 < 2 ? 'buy' : 'sell', quantity: '1.5' },
    ...(isTaker
      ? ({ orderType: 'MARKET', timeInForce: 'IOC' } as const)
      : ({ orderType: 'LIMIT', timeInForce: 'GTC', side: 'buy', limitPrice: String(bid) } as const)),
    ...{ reduceOnly: false, clientOrderId: `bench-${index}`, nonce: index, expiresAt: sentAt + 60_000, sentAt },
  };
  const text = canonicalJson(payload);
  const { clientOrderId, nonce, expiresAt } = payload;
  const orderId = `00000000-0000-5000-8000-${String(index).padStart(12, '0')}`;
  return {
    ...{ portfolio: 'bench', orderId, clientOrderId, nonce, expiresAt, payload: text },
    signature: signPaperOrder(text, 'bench'),
  };
}

/** The least that the same work could cost: every price and level looked at. */
function bareLoop(events: readonly AnyEvent[]): number {
  let last = 0;
  let depth = 0;
  for (const { type, data } of events) {
    if (type === 'price.tick') last = data.price;
    else if (type === 'book.delta' || type === 'book.snapshot') {
      for (const level of data.bids) depth += level.price > last ? 0 : level.size;
      for (const level of data.asks) depth += level.price < last ? 0 : level.size;
    }
  }
  return depth;
}

function rate(events: readonly AnyEvent[], work: () => number): number {
  const from = process.hrtime.bigint();
  work();
  return events.length / (Number(process.hrtime.bigint() - from) / 1e9);
}
