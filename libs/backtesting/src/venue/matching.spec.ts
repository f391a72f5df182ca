import { bench, brief, margin, PERP, rest, SPOT } from '../testing/engine-bench';
import { barClosed, barOpened, T0, tick } from '../testing/venue-desk';

const limit = (limitPrice: string) => ({ orderType: 'LIMIT', limitPrice }) as const;
const stop = (stopPrice: string) => ({ orderType: 'STOP', stopPrice }) as const;

describe('a market order', () => {
  it('meets the opposite quote, not the last price, as long as the quote is fresh', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    engine.market(tick(SPOT, 10, 39_999, { kind: 'bid' }));
    engine.market(tick(SPOT, 10, 40_002, { kind: 'ask' }));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 20 }))).toEqual(['accepted', 'taker 1@40002']);
    expect(brief(submit(SPOT, 'sell', '1', { sentAt: 20 }))).toEqual(['accepted', 'taker 1@39999']);
    engine.market(tick(SPOT, 6_000, 40_100));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 6_000 }))).toEqual(['accepted', 'taker 1@40100']);
  });

  it('waits for the first price when none is known, and is filled at it', () => {
    const { engine, submit } = bench();
    expect(brief(submit(SPOT, 'buy', '1'))).toEqual(['accepted']);
    expect(brief(engine.market(tick(SPOT, 5, 40_000)))).toEqual(['taker 1@40000']);
  });

  it('with marketFill next is filled at the next observation: the open after a close', () => {
    const { engine, submit } = bench({ marketFill: 'next' });
    engine.market(barOpened(SPOT, 0, 40_000));
    engine.market(barClosed(SPOT, 0, [40_000, 40_010, 39_990, 40_005]));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 60_000 }))).toEqual(['accepted']);
    expect(brief(engine.market(barOpened(SPOT, 1, 40_007)))).toEqual(['taker 1@40007']);
  });

  it('with marketFill next and bars without an opening event is filled at the open of the next bar', () => {
    const { engine, submit } = bench({ marketFill: 'next' });
    engine.market(barClosed(SPOT, 0, [40_000, 40_010, 39_990, 40_005]));
    submit(SPOT, 'buy', '1', { sentAt: 60_000 });
    submit(SPOT, 'buy', '2', { sentAt: 60_001 });
    // The second one came after the open: it knows of the bar only what was left of it, the close.
    expect(brief(engine.market(barClosed(SPOT, 1, [40_007, 40_050, 40_001, 40_030])))).toEqual([
      'taker 1@40007',
      'taker 2@40030',
    ]);
  });

  it('is filled at a price that the trading venue knows, rounded against the taker', () => {
    const { engine, submit } = bench({ priceSources: { [PERP]: SPOT } }, margin({ deposit: '100000' }));
    engine.market(tick(SPOT, 0, 46_783.91));
    expect(brief(submit(PERP, 'buy', '1'))).toEqual(['accepted', 'taker 1@46784']);
    expect(brief(submit(PERP, 'sell', '2'))).toEqual(['accepted', 'taker 2@46783']);
  });

  it('pays slippage: a fixed part and one that grows with its share of the volume', () => {
    const { engine, submit } = bench({ slippage: { bps: 10, impact: 0.1 } });
    engine.market(tick(SPOT, 0, 40_000, { size: 10 }));
    // 40,000 × (1 ± (0.001 + 0.1 × (2 ÷ 10)²)) = 40,000 × (1 ± 0.005)
    expect(brief(submit(SPOT, 'buy', '2'))).toEqual(['accepted', 'taker 2@40200']);
    expect(brief(submit(SPOT, 'sell', '2'))).toEqual(['accepted', 'taker 2@39800']);
  });
});

describe('a limit order', () => {
  it('takes what is there up to its limit, and slippage never leads beyond it', () => {
    const { engine, submit } = bench({ slippage: { bps: 10 } });
    engine.market(tick(SPOT, 0, 40_000));
    expect(brief(submit(SPOT, 'buy', '1', limit('41000')))).toEqual(['accepted', 'taker 1@40040']);
    expect(brief(submit(SPOT, 'buy', '1', limit('40010')))).toEqual(['accepted', 'taker 1@40010']);
    expect(brief(submit(SPOT, 'sell', '1', limit('39990')))).toEqual(['accepted', 'taker 1@39990']);
  });

  it('as IOC ends when it does not meet its price', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    expect(brief(submit(SPOT, 'buy', '1', { ...limit('39000'), timeInForce: 'IOC' }))).toEqual([
      'accepted',
      'cancelled no_liquidity',
    ]);
  });

  it.each([
    ['through', 39_000, []],
    ['through', 38_999.99, ['maker 1@39000']],
    ['touch', 39_000, ['maker 1@39000']],
  ] as const)('rests, and with limitFill %s a trade at %d gives %j', (limitFill, price, expected) => {
    const { engine, submit } = bench({ limitFill });
    engine.market(tick(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '1', limit('39000'));
    expect(brief(engine.market(tick(SPOT, 1, price)))).toEqual(expected);
  });

  it('is filled by a quote that reaches it', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    submit(SPOT, 'sell', '1', limit('41000'));
    expect(brief(engine.market(tick(SPOT, 1, 40_999, { kind: 'bid' })))).toEqual([]);
    expect(brief(engine.market(tick(SPOT, 2, 41_000, { kind: 'bid' })))).toEqual(['maker 1@41000']);
  });

  it('takes no part in the high and low of a bar that it came into, only in its close', () => {
    const { engine, submit } = bench();
    engine.market(barOpened(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '1', { ...limit('39000'), sentAt: 30_000 });
    submit(SPOT, 'buy', '2', { ...limit('39500'), sentAt: 30_000 });
    expect(brief(engine.market(barClosed(SPOT, 0, [40_000, 40_000, 38_000, 39_400])))).toEqual(['maker 2@39500']);
    engine.market(barOpened(SPOT, 1, 39_400));
    expect(brief(engine.market(barClosed(SPOT, 1, [39_400, 39_400, 38_999, 39_300])))).toEqual(['maker 1@39000']);
  });

  it('is filled at its own price when the market gaps through it', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '1', limit('39000'));
    expect(brief(engine.market(barOpened(SPOT, 1, 37_000)))).toEqual(['maker 1@39000']);
  });
});

describe('a stop order', () => {
  it('is filled at the stop inside a bar, at the open when that is beyond it', () => {
    const { engine, submit } = bench();
    engine.market(barOpened(SPOT, 0, 40_000));
    submit(SPOT, 'sell', '1', stop('39500'));
    expect(brief(engine.market(barClosed(SPOT, 0, [40_000, 40_100, 39_000, 39_800])))).toEqual(['taker 1@39500']);
    submit(SPOT, 'sell', '1', { ...stop('39500'), sentAt: 60_000 });
    expect(brief(engine.market(barOpened(SPOT, 1, 39_200)))).toEqual(['taker 1@39200']);
    submit(SPOT, 'buy', '1', { ...stop('39500'), sentAt: 60_000 });
    // A bar whose opening was not seen.
    expect(brief(engine.market(barClosed(SPOT, 2, [39_700, 39_900, 39_600, 39_650])))).toEqual(['taker 1@39700']);
  });

  it('goes before a limit order of the same bar: the worse of two orders of things', () => {
    const { engine, submit } = bench({}, margin({ deposit: '100000' }));
    engine.market(barOpened(PERP, 0, 40_000));
    submit(PERP, 'buy', '1');
    submit(PERP, 'sell', '1', { ...limit('40500'), reduceOnly: true });
    submit(PERP, 'sell', '1', { ...stop('39500'), reduceOnly: true });
    expect(brief(engine.market(barClosed(PERP, 0, [40_000, 41_000, 39_000, 40_700])))).toEqual([
      'taker 1@39500',
      'cancelled reduce_only',
    ]);
  });

  it('goes by the mark where there is one, by the last price where it is told to', () => {
    const byMark = bench({}, margin({ deposit: '100000' }));
    byMark.engine.market(tick(PERP, 0, 40_000));
    byMark.engine.market(tick(PERP, 0, 40_000, { kind: 'mark' }));
    byMark.submit(PERP, 'sell', '1', stop('39500'));
    expect(brief(byMark.engine.market(tick(PERP, 1, 39_000)))).toEqual([]);
    expect(brief(byMark.engine.market(tick(PERP, 2, 39_400, { kind: 'mark' })))).toEqual(['taker 1@39000']);
    const byLast = bench({ stopTrigger: 'last' }, margin({ deposit: '100000' }));
    byLast.engine.market(tick(PERP, 0, 40_000));
    byLast.engine.market(tick(PERP, 0, 40_000, { kind: 'mark' }));
    byLast.submit(PERP, 'sell', '1', stop('39500'));
    expect(brief(byLast.engine.market(tick(PERP, 1, 39_000)))).toEqual(['taker 1@39000']);
  });

  it('is triggered at once when its price has been passed already', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    expect(brief(submit(SPOT, 'sell', '1', stop('40500')))).toEqual(['accepted', 'taker 1@40000']);
  });
});

describe('liquidity', () => {
  it('gives each account its share of each observation, an opening that of the bar before', () => {
    const { engine, submit } = bench({ liquidity: { participation: 0.1 } });
    engine.market(barOpened(SPOT, 0, 40_000));
    engine.market(barClosed(SPOT, 0, [40_000, 40_000, 40_000, 40_000], 20));
    expect(brief(submit(SPOT, 'buy', '5', { sentAt: 60_000 }))).toEqual(['accepted', 'taker 2@40000']);
    expect(brief(engine.market(barOpened(SPOT, 1, 40_010)))).toEqual([]);
    expect(brief(engine.market(barClosed(SPOT, 1, [40_010, 40_020, 40_000, 40_005], 25)))).toEqual(['taker 2.5@40005']);
    expect(brief(engine.market(barOpened(SPOT, 2, 40_020)))).toEqual([]);
    expect(brief(engine.market(barClosed(SPOT, 2, [40_020, 40_020, 40_000, 40_000], 100)))).toEqual([
      'taker 0.5@40000',
    ]);
  });

  it('is none where no volume is known', () => {
    const { engine, submit } = bench({ liquidity: { participation: 0.1 } });
    engine.market(tick(SPOT, 0, 40_000));
    expect(brief(submit(SPOT, 'buy', '1', { timeInForce: 'IOC' }))).toEqual(['accepted', 'cancelled no_liquidity']);
  });
});

describe('market data', () => {
  it('passes over bars that the platform built itself, and longer bars that tell the same trades again', () => {
    const { engine, submit } = bench();
    engine.market(barOpened(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '1', limit('39000'));
    const bar = barClosed(SPOT, 0, [40_000, 40_000, 38_000, 38_500]);
    expect(engine.market({ ...bar, data: { ...bar.data, derived: true } } as typeof bar)).toEqual([]);
    expect(engine.market({ ...bar, data: { ...bar.data, intervalMs: 3_600_000 } } as typeof bar)).toEqual([]);
    expect(brief(engine.market(bar))).toEqual(['maker 1@39000']);
  });

  it('lets no late trade or bar move the price back', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 90_000, 40_000));
    engine.market(tick(SPOT, 80_000, 30_000));
    engine.market(barClosed(SPOT, 0, [30_000, 30_000, 30_000, 30_000]));
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 90_000 }))).toEqual(['accepted', 'taker 1@40000']);
    expect(engine.time).toBe(T0 + 90_000);
  });

  it('takes the rules of an instrument from its listing', () => {
    const { engine, submit } = bench();
    engine.market(tick(SPOT, 0, 40_000));
    submit(SPOT, 'buy', '1', limit('39000'));
    expect(brief(submit(SPOT, 'buy', '0.00002'))).toEqual(['rejected min_notional']);
    const listed = tick(SPOT, 1, 1);
    const data = {
      event_type: 'instrument.listed',
      ...{
        token: 'BTC',
        instrument: SPOT,
        venue: 'BINANCE-SPOT',
        symbol: 'BTCUSDT',
        base: 'BTC',
        quote: 'USDT',
        settlement: 'USDT',
      },
      ...{
        kind: 'spot',
        priceRule: { mode: 'tick', tick: '1' },
        lot: '0.00001',
        minimumNotional: '0',
        multiplier: '1',
        marginTiers: [],
      },
      ...{
        fees: { maker: 0, taker: 0 },
        fundingIntervalHours: null,
        validFrom: null,
        validTo: T0 + 5_000,
        timestamp: T0 + 1,
      },
    };
    engine.market({ ...listed, type: 'instrument.listed', data } as unknown as typeof listed);
    expect(brief(submit(SPOT, 'buy', '0.00002', { sentAt: 1 }))).toEqual(['accepted', 'taker 0.00002@40000']);
    expect(brief(submit(SPOT, 'buy', '1', { ...limit('39000.5'), sentAt: 1 }))).toEqual(['rejected tick']);
    expect(brief(engine.market(tick(SPOT, 2, 38_000)))).toEqual(['maker 1@39000']);
    expect(brief(submit(SPOT, 'buy', '1', { sentAt: 5_000 }))).toEqual(['rejected instrument_closed']);
    expect(rest(engine, 100_000)).toEqual([]);
  });
});
