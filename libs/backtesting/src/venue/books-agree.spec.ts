import fc from 'fast-check';
import type { AnyEvent } from '@moon/events';
import { canonicalJson, type AccountSpec, type VenueReport } from '@moon/kernel';
import { PlatformFold } from '../testing/platform-fold';
import {
  barClosed,
  barOpened,
  funding,
  marketEvent,
  paperDesk,
  T0,
  TEST_KEY,
  tick,
  type OrderDesk,
} from '../testing/venue-desk';
import { createVenueEngine, type PartialVenueConfig, type VenueEngine } from '.';

/** One thing that happens, made of numbers so that fast-check can shrink it. */
type Step =
  | { do: 'price'; move: number; size: number }
  | {
      do: 'order';
      side: 'buy' | 'sell';
      lots: number;
      type: 'MARKET' | 'LIMIT' | 'STOP' | 'TAKE_PROFIT';
      offset: number;
      ioc: boolean;
      /** A trigger gets a limit price, a limit order is post-only. */
      alt: boolean;
      reduce: boolean;
    }
  | { do: 'book'; spread: number; depth: number; size: number }
  | { do: 'bar'; up: number; down: number; close: number; volume: number }
  | { do: 'cancel'; which: number }
  | { do: 'funding'; rate: number; lateMs: number }
  | { do: 'wait'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('price' as const),
      move: fc.integer({ min: -120, max: 120 }),
      size: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      side: fc.constantFrom('buy' as const, 'sell' as const),
      lots: fc.integer({ min: 1, max: 500 }),
      type: fc.constantFrom(...(['MARKET', 'MARKET', 'LIMIT', 'LIMIT', 'STOP', 'TAKE_PROFIT'] as const)),
      offset: fc.integer({ min: -200, max: 200 }),
      ioc: fc.constantFrom(false, false, true),
      alt: fc.boolean(),
      reduce: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('book' as const),
      spread: fc.integer({ min: 1, max: 30 }),
      depth: fc.integer({ min: 0, max: 6 }),
      size: fc.integer({ min: 1, max: 300 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('bar' as const),
      up: fc.nat(150),
      down: fc.nat(150),
      close: fc.nat(100),
      volume: fc.nat(300),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('funding' as const),
      rate: fc.integer({ min: -400, max: 400 }),
      lateMs: fc.nat(5_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40_000) }) },
);

interface Market {
  instrument: string;
  start: number;
  /** One step of an offset or move. */
  point: number;
  /** Quantity of one lot in the orders. */
  lot: number;
}

const SPOT: Market = { instrument: 'BTCUSDT.BINANCE-SPOT', start: 40_000, point: 20, lot: 0.00731 };
const PERP: Market = { instrument: 'BTC.HYPERLIQUID', start: 40_000, point: 20, lot: 0.00731 };
const INVERSE: Market = { instrument: 'BTCUSD_PERP.BINANCE-COINM', start: 40_000, point: 20, lot: 7 };

const account = (spec: Partial<AccountSpec>): AccountSpec => ({
  portfolio: 'main',
  accountModel: 'cash',
  settlementAsset: 'USDT',
  deposit: '100000',
  leverage: { [SPOT.instrument]: 1 },
  signingKey: TEST_KEY,
  openedAt: T0,
  ...spec,
});

const perp = {
  accountModel: 'margin',
  settlementAsset: 'USDC',
  deposit: '6000',
  leverage: { [PERP.instrument]: 40 },
} as const;
const coin = {
  accountModel: 'margin',
  settlementAsset: 'BTC',
  deposit: '0.1',
  leverage: { [INVERSE.instrument]: 20 },
} as const;
const cases: [string, Market, AccountSpec][] = [
  ['cash', SPOT, account({})],
  ['cash with short credit', SPOT, account({ accountModel: 'cash-short-credit' })],
  ['isolated margin', PERP, account({ ...perp, marginMode: 'isolated' })],
  [
    'cross margin with a position from the start',
    PERP,
    account({
      ...perp,
      positions: [{ instrument: PERP.instrument, side: 'short', quantity: '0.3', price: '41000.7' }],
    }),
  ],
  ['isolated margin, inverse contract', INVERSE, account({ ...coin, marginMode: 'isolated' })],
  ['cross margin, inverse contract', INVERSE, account({ ...coin, marginMode: 'cross' })],
];

const config: PartialVenueConfig = {
  fees: {
    tiers: {
      windowDays: 1,
      tiers: [
        { above: 0, makerBps: 1.5, takerBps: 4.5 },
        { above: 50_000, makerBps: -0.3, takerBps: 2.7 },
      ],
    },
  },
  margin: { liquidationFeeBps: 35 },
  book: { queue: 'probabilistic' },
  barPath: 'direction',
  slippage: { bps: 3, impact: 0.1 },
  liquidity: { participation: 0.5 },
  latency: { order: { minMs: 0, maxMs: 400 }, ack: { minMs: 0, maxMs: 200 } },
};

/** Plays steps on an engine; `onReports` sees what comes out, in order. */
class Play {
  private at = 0;
  private price: number;
  private readonly desk: OrderDesk = paperDesk();
  private readonly sent: { portfolio: string; clientOrderId: string }[] = [];

  constructor(
    private readonly market: Market,
    public engine: VenueEngine,
    private readonly onReports: (reports: readonly VenueReport[]) => void,
  ) {
    this.price = market.start;
    this.feed(tick(market.instrument, 0, this.price, { size: 10 }));
  }

  step(step: Step): void {
    this.at += 250;
    const { instrument, point, lot } = this.market;
    switch (step.do) {
      case 'price':
        this.price = Math.max(1_000, this.price + step.move * point * 0.37);
        return this.feed(tick(instrument, this.at, Number(this.price.toFixed(2)), { size: step.size * lot * 10 }));
      case 'order': {
        const near = Math.round(this.price + step.offset * point * 0.1);
        const isTrigger = step.type === 'STOP' || step.type === 'TAKE_PROFIT';
        const order = this.desk.order(instrument, step.side, this.quantity(step.lots), {
          sentAt: this.at,
          orderType: step.type,
          timeInForce: step.ioc ? 'IOC' : step.alt && step.type === 'LIMIT' ? 'ALO' : 'GTC',
          reduceOnly: step.reduce,
          ...(step.type === 'LIMIT' ? { limitPrice: String(near) } : {}),
          ...(isTrigger ? { stopPrice: String(near) } : {}),
          ...(isTrigger && step.alt ? { limitPrice: String(near + (step.side === 'buy' ? 40 : -40)) } : {}),
        });
        this.sent.push(order);
        return this.onReports(this.engine.submit(order));
      }
      case 'book':
        return this.feed(this.book(step));
      case 'bar':
        return this.bar(step);
      case 'cancel': {
        const order = this.sent[step.which];
        return order && this.onReports(this.engine.cancel(this.desk.cancel(order, this.at)));
      }
      case 'funding': {
        const settled = funding(instrument, this.at, step.rate / 1e6, Number((this.price * 1.0003).toFixed(1)));
        this.at += step.lateMs;
        return this.feed({ ...settled, occurredAt: T0 + this.at });
      }
      case 'wait':
        this.at += step.ms;
        return this.onReports(this.engine.advanceTo(T0 + this.at));
    }
  }

  end(): void {
    this.onReports(this.engine.advanceTo(T0 + this.at + 60_000));
  }

  /** A whole book around the price: levels of equal size, none when `depth` is 0. */
  private book({ spread, depth, size }: { spread: number; depth: number; size: number }): AnyEvent {
    const { instrument, lot } = this.market;
    const side = (direction: number) =>
      Array.from({ length: depth }, (_, level) => ({
        price: Math.round(this.price + direction * (spread + level * 7)),
        size: Number((size * lot).toFixed(8)),
      }));
    const timestamp = T0 + this.at;
    return marketEvent('book.snapshot', timestamp, {
      ...{ token: 'BTC', instrument, bids: side(-1), asks: side(1), timestamp },
    });
  }

  /** The next whole minute, opened and closed; time goes on to its end. */
  private bar({ up, down, close, volume }: { up: number; down: number; close: number; volume: number }): void {
    const minute = Math.ceil(this.at / 60_000);
    this.at = (minute + 1) * 60_000;
    const [high, low] = [this.price + up, Math.max(1_000, this.price - down)];
    const closes = Number((low + ((high - low) * close) / 100).toFixed(2));
    const bar = [this.price, high, low, closes].map((price) => Number(price.toFixed(2)));
    const [open = 0, highest = 0, lowest = 0, last = 0] = bar;
    this.feed(barOpened(this.market.instrument, minute, open));
    this.feed(barClosed(this.market.instrument, minute, [open, highest, lowest, last], volume * this.market.lot));
    this.price = last;
  }

  private feed(event: AnyEvent): void {
    this.onReports(this.engine.market(event));
  }

  private quantity(lots: number): string {
    return this.market.lot >= 1 ? String(lots * this.market.lot) : (lots * this.market.lot).toFixed(5);
  }
}

function open(spec: AccountSpec): VenueEngine {
  const engine = createVenueEngine(config);
  engine.openAccount(spec);
  return engine;
}

describe.each(cases)('the books of a %s account', (_name, market, spec) => {
  it('equal what the platform folds from the reports, to the last unit', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const fold = new PlatformFold(spec);
        const play = new Play(market, open(spec), (reports) => fold.take(reports));
        for (const each of steps) play.step(each);
        play.end();
        const books = play.engine.books('main');
        const { cash, realisedPnl, fees, funding: paid, positions } = fold.portfolio;
        expect({ cash: books.cash, realisedPnl: books.realisedPnl, fees: books.fees, funding: books.funding }).toEqual({
          cash,
          realisedPnl,
          fees,
          funding: paid,
        });
        expect(
          books.positions.map((held) => [
            held.instrument,
            held.quantity,
            held.costBasis,
            held.margin ?? '0',
            held.realisedPnl,
            held.fees,
            held.funding,
          ]),
        ).toEqual(
          Object.values(positions).map((held) => [
            held.instrument,
            held.quantity,
            held.costBasis,
            held.margin,
            held.realisedPnl,
            held.fees,
            held.funding,
          ]),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('are the same after a restart from a snapshot at any point, and so are all reports', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 50 }), fc.nat(49), (steps, cut) => {
        const run = (cutAt: number): { reports: VenueReport[]; end: string } => {
          const reports: VenueReport[] = [];
          const play = new Play(market, open(spec), (more) => void reports.push(...more));
          steps.forEach((each, index) => {
            if (index === cutAt) {
              const stored = JSON.parse(JSON.stringify(play.engine.snapshot())) as ReturnType<VenueEngine['snapshot']>;
              play.engine = createVenueEngine(config, { snapshot: stored });
            }
            play.step(each);
          });
          play.end();
          return { reports, end: canonicalJson(play.engine.state()) };
        };
        expect(run(cut % steps.length)).toEqual(run(-1));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a cash account', () => {
  it('never owes, never goes short, whatever is ordered', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const [, market, spec] = cases[0]!;
        const engine = open(spec);
        const play = new Play(market, engine, () => {
          const { cash, positions } = engine.books('main');
          expect(Number(cash)).toBeGreaterThanOrEqual(0);
          for (const { quantity } of positions) expect(Number(quantity)).toBeGreaterThanOrEqual(0);
        });
        for (const each of steps) play.step(each);
      }),
      { numRuns: 100 },
    );
  });
});
