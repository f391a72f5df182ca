import { eventId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { createExecution, testEvent, type ExecutionState, type Handler } from '@moon/domain';
import { VolatileLog } from '../log/log-writer';
import type { LogRow } from '../ports/event-store';
import { T0, tick } from '../testing/venue-desk';
import { Engine } from './engine';
import type { EngineSnapshot } from './checkpoint';
import { MOST_WAITING, type ParkedPlace } from './parking';

const BTC = 'BTC.HYPERLIQUID';
const FUND = 'fund-1';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const POISON = 'fill-1';

let isBroken = true;

/** The owner of portfolios, with a defect that one fill brings out. */
const execution = createExecution({});
const owner: Handler<ExecutionState> = {
  ...execution,
  handle(event, state, out) {
    if (isBroken && event.type === 'venue.report' && event.data.fillId === POISON) throw new Error('over-fill');
    execution.handle(event, state, out);
  },
};

const orderId = (name: string): string => eventId('test-order', name);

/** Places an order for whoever asks by name. */
const trader: Handler<object> = {
  ...{ name: 'saga/trader', role: 'saga', partitionedBy: 'token', consumes: ['signal.error'] },
  initialState: () => ({}),
  handle(event, _state, out) {
    if (event.type !== 'signal.error') return;
    const name = event.data.detail ?? '';
    out.send({
      ...{ type: 'PlaceOrder', key: FUND, orderId: orderId(name), portfolio: FUND, token: 'BTC', instrument: BTC },
      ...{ side: 'buy', quantity: '0.1', orderType: 'MARKET', timeInForce: 'IOC', reduceOnly: false },
      ...{ priority: 'normal', origin: 'operator', approvalId: eventId('test-approval', name), sizing: {} },
    });
  },
};

class Bed {
  readonly rows: LogRow[] = [];
  readonly full: ParkedPlace[] = [];
  readonly engine: Engine;
  private reports = 0;

  constructor(handlers: readonly Handler[] = [owner as Handler, trader as Handler]) {
    const log = new VolatileLog((row) => this.rows.push(row));
    this.engine = new Engine({ handlers, log, onParkedFull: (place) => this.full.push(place) });
  }

  say<T extends EventType>(type: T, at: number, data: EmitData<T>, more: Partial<AnyEvent> = {}): this {
    return this.take(testEvent(type, T0 + at, data, more as object));
  }

  take(event: AnyEvent): this {
    this.engine.input(event);
    this.engine.drain();
    return this;
  }

  price(at: number, price: number): this {
    return this.take(tick(BTC, at, price));
  }

  place(at: number, name: string): this {
    const data = { token: 'BTC', agent: 'trader', reason: 'refused', detail: name, timestamp: T0 + at } as const;
    return this.say('signal.error', at, data);
  }

  fill(at: number, name: string, price: string): this {
    this.reports += 1;
    const id = orderId(name);
    return this.say('venue.report', at, {
      ...{ portfolio: FUND, venue: 'paper', reportId: `r-${this.reports}`, venueSeq: this.reports, timestamp: T0 + at },
      ...{ kind: 'filled', order_id: id, venueOrderId: `v-${id.slice(0, 8)}`, instrument: BTC, side: 'buy', price },
      ...{ quantity: '0.1', fee: '1', feeAsset: 'USDC', liquidity: 'taker', fillId: `fill-${this.reports}` },
    });
  }

  opinion(at: number): this {
    const data = { token: 'BTC', action: 'BUY', score: 90, confidence: 0.9, agent: 'a', reason: 'r' } as const;
    return this.say('signal.generated', at, { ...data, timestamp: T0 + at });
  }

  release(at: number): this {
    const [{ handler, key, eventId: id, seq } = { handler: '', key: '', eventId: '', seq: 0 }] =
      this.engine.parking.list();
    return this.say('key.unparked', at, { handler, handlerKey: key, eventId: id, seq, timestamp: T0 + at });
  }

  /** A portfolio with three orders at the venue, whose first fill is the poison. */
  trading(): this {
    this.say('portfolio.opened', 0, {
      ...{ portfolio: FUND, accountModel: 'margin', marginMode: 'isolated', settlementAsset: 'USDC', ledgerScale: 12 },
      instruments: [{ instrument: BTC, leverage: 3, priceSource: BTC }],
      subscriptions: { consensus: true, agents: [], instruments: [] },
      limits: { duplicate_order: 0 },
      ...{ sizing: { mode: 'fraction', fraction: 0.1, scaleByConfidence: false }, timestamp: T0 },
    });
    this.say('portfolio.deposited', 0, { portfolio: FUND, amount: '100000', asset: 'USDC', timestamp: T0 });
    this.say('portfolio.reconciled', 0, { portfolio: FUND, differences: [], timestamp: T0 });
    this.price(1, 50_000);
    for (const name of ['a', 'b', 'c']) this.place(2, name);
    return this.fill(10, 'a', '50000');
  }

  get state(): ExecutionState {
    return this.engine.host.state<ExecutionState>('execution', FUND)!;
  }

  /** What is in a checkpoint of it, as text. */
  get checkpoint(): string {
    return JSON.stringify(this.engine.snapshot(false));
  }

  of(type: EventType): AnyEvent[] {
    return this.rows.map(({ event }) => event).filter((event) => event.type === type);
  }

  /** An engine that goes on from a checkpoint of this one. */
  restarted(checkpoint = this.checkpoint): Bed {
    const next = new Bed();
    next.reports = this.reports;
    next.engine.restore(JSON.parse(checkpoint) as EngineSnapshot);
    next.engine.host.restore(JSON.parse(JSON.stringify(this.engine.host.states())) as never);
    return next;
  }
}

describe('a parked portfolio (rule 25)', () => {
  beforeEach(() => (isBroken = true));

  /** An hour of prices, with a fill after twenty minutes and another after forty. */
  function hour(): Bed {
    const bed = new Bed().trading();
    for (let at = 100; at < HOUR; at += 100) {
      if (at === HOUR / 3) bed.fill(at, 'b', '50100');
      if (at === (2 * HOUR) / 3) bed.fill(at, 'c', '50200');
      bed.price(at, 50_000 + at / 1_000);
    }
    return bed;
  }

  it('keeps no more of an hour of prices than the newest: a checkpoint does not grow', () => {
    const bed = hour();
    expect(bed.engine.parking.places()).toEqual([
      expect.objectContaining({
        handler: 'execution',
        key: FUND,
        waiting: 4,
        replaced: 35_998,
        refused: 0,
        isFull: false,
      }),
    ]);
    expect(bed.checkpoint.length).toBeLessThan(10_000);
  });

  it('is valued at the newest price when it is released, after its orders in their order', () => {
    const bed = hour();
    isBroken = false;
    for (const one of [bed.restarted(), bed]) {
      one.release(HOUR);
      expect(one.of('trade.executed').map(({ data }) => (data as EmitData<'trade.executed'>).fill_price)).toEqual([
        50_000, 50_100, 50_200,
      ]);
      expect(one.engine.parking.isEmpty).toBe(true);
      const { portfolio, prices, tracker } = one.state;
      expect(portfolio?.positions[BTC]?.quantity).toBe('0.3');
      expect(prices.quotes[BTC]).toMatchObject({ last: 53_599.9, lastAt: T0 + HOUR - 100 });
      // Three fees of 1, and 0.1 bought at each price.
      expect(tracker.equity).toBeCloseTo(100_000 - 3 + 0.3 * 53_599.9 - 0.1 * (50_000 + 50_100 + 50_200), 6);
    }
  });

  it('shows nobody a price before its time: a fill between two prices is booked before the second', () => {
    const bed = new Bed().trading();
    bed.price(100, 51_000).fill(200, 'b', '50100').price(300, 52_000);
    const waiting = bed.engine.parking.list()[0]?.waiting.map(({ event }) => event.occurredAt - T0);
    expect(waiting).toEqual([10, 200, 300]);
  });

  it('keeps the last price of each day: the profit of a day begins with it (rule 14)', () => {
    const bed = new Bed().trading();
    bed
      .price(DAY - 200, 51_000)
      .price(DAY - 100, 52_000)
      .price(DAY + 100, 60_000)
      .price(DAY + 200, 61_000);
    isBroken = false;
    bed.release(DAY + 300);
    const { dayStartEquity, equity } = bed.state.tracker;
    expect(equity - dayStartEquity).toBeCloseTo(0.1 * (61_000 - 52_000), 6);
  });

  it('keeps the newer one of two prices that come in the wrong order', () => {
    const bed = new Bed().trading().price(300, 52_000).price(200, 51_000);
    isBroken = false;
    expect(bed.release(400).state.prices.quotes[BTC]).toMatchObject({ last: 52_000, lastAt: T0 + 300 });
  });

  it('takes a checkpoint of older code, which has every price that came, and keeps the newest of them', () => {
    const bed = new Bed().trading();
    const old = JSON.parse(bed.checkpoint) as EngineSnapshot;
    const [parked] = old.parked;
    for (let at = 100; at < 5_000; at += 1) parked?.waiting.push({ event: tick(BTC, at, 50_000 + at) });
    const again = bed.restarted(JSON.stringify(old));
    expect(again.checkpoint.length).toBeLessThan(10_000);
    isBroken = false;
    expect(again.release(6_000).state.prices.quotes[BTC]?.last).toBe(54_999);
  });

  it('gives up opinions when too many wait, each recorded and all of it told; its own events wait all the same', () => {
    const bed = new Bed().trading();
    for (let at = 1; at <= MOST_WAITING + 3; at += 1) bed.opinion(at + 1_000);
    bed.fill(60_000, 'b', '50100');
    expect(bed.full).toEqual([expect.objectContaining({ key: FUND, waiting: MOST_WAITING, isFull: true })]);
    const [place] = bed.engine.parking.places();
    expect(place).toMatchObject({ waiting: MOST_WAITING + 1, refused: 4 });
    const skipped = bed.of('event.skipped');
    expect(skipped).toHaveLength(4);
    expect(skipped[0]).toMatchObject({ data: { handler: 'execution', handlerKey: FUND } });
    expect(new Set(skipped.map(({ id }) => id)).size).toBe(4);
    const again = bed.restarted();
    expect(again.engine.parking.places()).toEqual(bed.engine.parking.places());
    isBroken = false;
    expect(again.release(70_000).of('trade.executed')).toHaveLength(2);
  });

  it('what waits behind a second poisoned event waits on, in its order', () => {
    const bed = new Bed().trading().fill(100, 'b', '50100').price(200, 51_000).fill(300, 'c', '50200');
    const waiting = bed.engine.parking.list()[0]?.waiting;
    bed.release(400);
    expect(bed.engine.parking.list()[0]?.waiting).toEqual(waiting);
    isBroken = false;
    bed.release(401);
    expect(bed.of('trade.executed')).toHaveLength(3);
  });
});

describe('a parked key of market data', () => {
  /** Of every price of its token none may be missing, until there is no room. */
  const folding: Handler<{ sum: number }> = {
    ...{ name: 'normaliser/fold', role: 'normaliser', partitionedBy: 'token', consumes: ['price.tick'] },
    initialState: () => ({ sum: 0 }),
    handle(event, state) {
      if (event.type !== 'price.tick') return;
      if (isBroken && event.data.price === 13) throw new Error('thirteen');
      state.sum += 1;
    },
  };

  it('has all of its own prices wait, up to a bound that is told, and counts the others', () => {
    isBroken = true;
    const bed = new Bed([folding as Handler]).price(0, 13);
    for (let at = 1; at < MOST_WAITING + 10; at += 1) bed.price(at, 100);
    expect(bed.full).toHaveLength(1);
    expect(bed.engine.parking.places()).toMatchObject([{ waiting: MOST_WAITING, replaced: 0, refused: 10 }]);
    expect(bed.of('event.skipped')).toEqual([]);
    isBroken = false;
    bed.release(60_000);
    expect(bed.engine.host.state('normaliser/fold', 'BTC')).toEqual({ sum: MOST_WAITING });
  });
});
