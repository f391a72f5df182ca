import {
  decideFill,
  decideOpen,
  decideReservation,
  evolvePortfolio,
  findInstrument,
  isRefused,
  type Decision,
  type PortfolioState,
} from '@moon/domain';
import { DEFINITIONS, type EventData } from '@moon/events';
import { CommandLine } from '../../testing/command-line';
import { FakePlatform, T0 } from '../../testing/platform';

const BTC = 'BTC.HYPERLIQUID';
const ORDER = '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04';

interface Shown {
  run: string;
  portfolios: {
    portfolio: string;
    cash: string;
    equity: number;
    unrealisedPnl: number;
    realisedPnl: string;
    fees: string;
    positions: { instrument: string; quantity: string; entryPrice: string; mark: number }[];
    orders: { orderId: string; status: string; quantity: string }[];
    halts: { source: string; scope: string }[];
    unpriced: string[];
  }[];
}

/** Lets the rules decide, and writes what they decide to the log. */
class Books {
  state: PortfolioState | undefined;

  constructor(
    private readonly platform: FakePlatform,
    readonly name: string,
  ) {}

  async take(decision: Decision): Promise<void> {
    if (isRefused(decision)) throw new Error(decision.refused.message);
    for (const { type, data } of decision.events) {
      this.state = evolvePortfolio(this.state, await this.platform.say(type, data as never, { at: T0 }));
    }
  }

  async fill(side: 'buy' | 'sell', quantity: string, price: string, fillId: string): Promise<void> {
    const example = DEFINITIONS['trade.executed'].example as EventData<'trade.executed'>;
    const fill = {
      ...example,
      portfolio: this.name,
      instrument: BTC,
      side,
      quantity,
      price,
      fillId,
      fee: '4',
      feeAsset: 'USDC',
    };
    await this.take(decideFill(this.state!, fill, findInstrument(BTC)!));
  }
}

describe('moon portfolio', () => {
  const line = new CommandLine();
  let platform: FakePlatform;

  beforeAll(async () => {
    platform = await FakePlatform.start(line.dataDir);
    for (const name of ['main', 'second']) {
      const books = new Books(platform, name);
      const opened = DEFINITIONS['portfolio.opened'].example as EventData<'portfolio.opened'>;
      const instruments = [{ instrument: BTC, leverage: 3, priceSource: BTC }];
      await books.take(decideOpen(undefined, { ...opened, portfolio: name, marginMode: 'cross', instruments }));
      books.state = evolvePortfolio(
        books.state,
        await platform.say('portfolio.deposited', { portfolio: name, amount: '50000' }, { at: T0 }),
      );
      if (name === 'second') continue;
      await books.fill('buy', '0.5', '40000', 'f-1');
      await books.fill('sell', '0.2', '43000', 'f-2');
      const order = { order_id: ORDER, portfolio: name, instrument: BTC, quantity: '0.1', reduceOnly: false } as const;
      await platform.say('order.requested', order, { at: T0 });
      const reservation = {
        orderId: ORDER,
        instrument: BTC,
        side: 'buy',
        quantity: '0.1',
        notional: '4200',
        reduceOnly: false,
      } as const;
      await books.take(decideReservation(books.state!, { ...reservation, timestamp: T0 }));
      await platform.say('order.approved', { order_id: ORDER, portfolio: name }, { at: T0 });
    }
    await platform.say('price.tick', { instrument: BTC, kind: 'last', price: 41_900 }, { at: T0 + 1_000 });
    await platform.say('price.tick', { instrument: BTC, kind: 'mark', price: 42_000 }, { at: T0 + 2_000 });
    await platform.say(
      'price.tick',
      { instrument: 'BTCUSDT.BINANCE-SPOT', kind: 'last', price: 1 },
      { at: T0 + 3_000 },
    );
  }, 60_000);
  afterAll(async () => {
    await platform.stop();
    line.remove();
  });

  it('[EVS-6] folds each portfolio from its stream and values it at the last mark of its price source', async () => {
    const { run, portfolios } = await line.json<Shown>('portfolio');
    expect(run).toBe('synthetic');
    expect(portfolios.map(({ portfolio }) => portfolio)).toEqual(['main', 'second']);
    const [main, second] = portfolios;
    // 0.2 of 0.5 BTC sold 3,000 higher; 0.3 BTC left, bought at 40,000; two fees of 4.
    expect(main).toMatchObject({
      realisedPnl: '600',
      fees: '8',
      cash: '50592',
      unrealisedPnl: 600,
      equity: 51_192,
      unpriced: [],
    });
    expect(main!.positions).toEqual([
      expect.objectContaining({ instrument: BTC, quantity: '0.3', entryPrice: '40000', mark: 42_000 }),
    ]);
    expect(main!.orders).toEqual([expect.objectContaining({ orderId: ORDER, status: 'approved', quantity: '0.1' })]);
    expect(second).toMatchObject({ cash: '50000', equity: 50_000, positions: [], orders: [], halts: [] });
  });

  it('says it in words, for one portfolio or all', async () => {
    const { out, code } = await line.moon('portfolio', 'main');
    expect(code).toBe(0);
    const text = out.join('\n');
    expect(text).toMatch(/^main {2}\(margin, cross, USDC\) {2}as of 2024-01-01 00:00:02\.000 UTC/);
    expect(text).toMatch(/equity 51,192\.00 {3}cash 50,592\.00 {3}unrealised 600\.00/);
    expect(text).toMatch(/BTC\.HYPERLIQUID +0\.3 +40000 +42000 +12,600\.00 +600\.00/);
    expect(text).toMatch(/7d9a2c0b +buy +0\.1 +BTC\.HYPERLIQUID +MARKET +0 +approved/);
    expect(text).toMatch(/not halted/);
    expect((await line.moon('portfolio')).out.filter((row) => row.includes('as of'))).toHaveLength(2);
  });

  it('shows halts in force, its own and those of all portfolios', async () => {
    const own = { portfolio: 'main', scope: 'portfolio', source: 'risk:leverage', reason: 'leverage' } as const;
    const { portfolio: _none, ...global } = {
      ...own,
      scope: 'global',
      source: 'operator',
      reason: 'maintenance',
    } as const;
    await platform.say('halt.raised', own, { at: T0 + 4_000 });
    await platform.say('halt.raised', { ...global, portfolio: undefined } as never, { at: T0 + 4_000 });
    const halts = async (): Promise<string[][]> =>
      (await line.json<Shown>('portfolio')).portfolios.map((view) =>
        view.halts.map(({ source, scope }) => `${source} ${scope}`),
      );
    expect(await halts()).toEqual([['operator global', 'risk:leverage portfolio'], ['operator global']]);
    await platform.say('halt.lifted', own, { at: T0 + 5_000 });
    expect(await halts()).toEqual([['operator global'], ['operator global']]);
  });

  it('tells the nearest name of a portfolio that is not there', async () => {
    expect(await line.moon('portfolio', 'mian')).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/Did you mean "main"/)],
    });
  });
});
