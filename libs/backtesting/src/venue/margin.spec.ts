import { bench, brief, ETH, margin, PERP } from '../testing/engine-bench';
import { barClosed, barOpened, funding, T0, tick } from '../testing/venue-desk';
import { createVenueEngine } from './engine';

const long = (quantity: string, price: string) => ({ instrument: PERP, side: 'long' as const, quantity, price });

describe('initial margin', () => {
  it('is notional ÷ leverage of what an order opens, fee and resting orders held back', () => {
    const { engine, submit } = bench({}, margin());
    engine.market(tick(PERP, 0, 40_000));
    // 2.5 BTC need 10,000 of margin, and the fee comes on top.
    expect(brief(submit(PERP, 'buy', '2.5'))).toEqual(['rejected insufficient_margin']);
    expect(brief(submit(PERP, 'buy', '1', { orderType: 'LIMIT', limitPrice: '39000' }))).toEqual(['accepted']);
    expect(brief(submit(PERP, 'buy', '1.6'))).toEqual(['rejected insufficient_margin']);
    expect(brief(submit(PERP, 'buy', '1.5'))).toEqual(['accepted', 'taker 1.5@40000']);
  });

  it('of a flip counts only what is opened on the other side', () => {
    const { engine, submit } = bench({}, margin());
    engine.market(tick(PERP, 0, 40_000));
    submit(PERP, 'buy', '2.4');
    expect(brief(submit(PERP, 'sell', '4.8'))).toEqual(['accepted', 'taker 4.8@40000']);
    expect(brief(submit(PERP, 'sell', '0.2'))).toEqual(['rejected insufficient_margin']);
    expect(engine.books('main').positions).toMatchObject([{ quantity: '-2.4', costBasis: '-96000' }]);
  });

  it('stays inside the leverage of the tier that the position would reach', () => {
    const { engine, submit } = bench({}, margin({ deposit: '1000000000', leverage: { [PERP]: 40 } }));
    engine.market(tick(PERP, 0, 40_000));
    expect(brief(submit(PERP, 'buy', '3750'))).toEqual(['accepted', 'taker 3750@40000']);
    expect(brief(submit(PERP, 'buy', '1'))).toEqual(['rejected max_position']);
  });

  it('of an isolated position is set aside, and given back by quantity', () => {
    const { engine, submit } = bench({}, margin({ marginMode: 'isolated' }));
    engine.market(tick(PERP, 0, 40_000));
    submit(PERP, 'buy', '1');
    submit(PERP, 'buy', '1');
    expect(engine.books('main').positions).toMatchObject([{ quantity: '2', margin: '8000' }]);
    expect(brief(submit(PERP, 'buy', '0.5'))).toEqual(['rejected insufficient_margin']);
    submit(PERP, 'sell', '0.5');
    expect(engine.books('main').positions).toMatchObject([{ quantity: '1.5', margin: '6000' }]);
  });

  it('is looked at again when a waiting order is to be filled', () => {
    const { engine, submit } = bench({ marketFill: 'next' }, margin());
    engine.market(tick(PERP, 0, 40_000));
    expect(brief(submit(PERP, 'buy', '2.4'))).toEqual(['accepted']);
    expect(brief(engine.market(tick(PERP, 1, 42_000)))).toEqual(['cancelled insufficient_margin']);
  });

  it('is not asked of spot, which a margin account does not trade', () => {
    const { engine, submit } = bench({}, margin({ settlementAsset: 'USDT' }));
    engine.market(tick('BTCUSDT.BINANCE-SPOT', 0, 40_000));
    expect(brief(submit('BTCUSDT.BINANCE-SPOT', 'buy', '1'))).toEqual(['rejected not_marginable']);
  });
});

describe('liquidation', () => {
  it('of an isolated position begins exactly at its liquidation price', () => {
    // 1 BTC at 100,000, 10× of at most 40×: 91,139.2405 (long), as in HyperLiquid's formula.
    const open = () => bench({}, margin({ marginMode: 'isolated', positions: [long('1', '100000')] })).engine;
    expect(brief(open().market(tick(PERP, 0, 91_140, { kind: 'mark' })))).toEqual(['margin_call']);
    const engine = open();
    expect(brief(engine.market(tick(PERP, 0, 91_139, { kind: 'mark' })))).toEqual([
      'margin_call',
      'liquidation market 1@91139',
    ]);
    expect(engine.books('main')).toMatchObject({ positions: [], realisedPnl: '-8861', fees: '45.5695' });
  });

  it('goes by the mark, not by the last price', () => {
    const { engine } = bench({}, margin({ positions: [long('2', '40000')] }));
    engine.market(tick(PERP, 0, 40_000, { kind: 'mark' }));
    expect(engine.market(tick(PERP, 1, 20_000))).toEqual([]);
    expect(brief(engine.market(tick(PERP, 2, 35_400, { kind: 'mark' })))[1]).toBe('liquidation market 2@20000');
  });

  it('takes a fifth of a position above 100,000 first, and the rest after 30 s if it is still needed', () => {
    const { engine } = bench({}, margin({ positions: [long('3', '40000')] }));
    engine.market(tick(PERP, 0, 40_000));
    // Equity 10,000 − 3 × 2,910 = 1,270, maintenance 3 × 37,090 × 1.25 % = 1,390.875.
    expect(brief(engine.market(tick(PERP, 1_000, 37_090)))).toEqual(['margin_call', 'liquidation market 0.6@37090']);
    expect(engine.nextDueAt()).toBe(T0 + 31_000);
    expect(brief(engine.market(tick(PERP, 2_000, 36_950)))).toEqual([]);
    expect(brief(engine.advanceTo(T0 + 31_000))).toEqual(['liquidation market 2.4@36950']);
    expect(engine.books('main').positions).toEqual([]);
  });

  it('stops when the first fifth was enough', () => {
    const { engine } = bench({}, margin({ positions: [long('3', '40000')] }));
    engine.market(tick(PERP, 1_000, 37_090));
    engine.market(tick(PERP, 2_000, 38_000));
    expect(brief(engine.advanceTo(T0 + 31_000))).toEqual([]);
    expect(engine.books('main').positions).toMatchObject([{ quantity: '2.4' }]);
  });

  it('below two thirds of the maintenance is the backstop’s: nothing is left of the margin', () => {
    const { engine } = bench({}, margin({ marginMode: 'isolated', positions: [long('1', '40000')] }));
    // Equity 250, maintenance 453.125. The bankruptcy price is 36,000.
    expect(brief(engine.market(tick(PERP, 0, 36_250)))).toEqual(['margin_call', 'liquidation backstop 1@36000']);
    expect(engine.books('main')).toMatchObject({ cash: '6000', fees: '0', realisedPnl: '-4000', positions: [] });
  });

  it('never costs an account more than it has, also when the market jumps beyond its bankruptcy', () => {
    const { engine } = bench(
      {},
      margin({ positions: [long('1', '40000'), { instrument: ETH, side: 'short', quantity: '10', price: '2000' }] }),
    );
    engine.market(tick(ETH, 0, 2_000));
    const reports = engine.market(tick(PERP, 1, 20_000));
    expect(reports.map(({ kind, instrument }) => [kind, instrument])).toEqual([
      ['margin_call', undefined],
      ['liquidation', PERP],
      ['liquidation', ETH],
    ]);
    expect(Math.abs(Number(engine.books('main').cash))).toBeLessThan(1e-9);
  });

  it('cancels the orders that belong to it', () => {
    const { engine, submit } = bench(
      {},
      margin({ marginMode: 'isolated', deposit: '30000', positions: [long('1', '40000')] }),
    );
    engine.market(tick(PERP, 0, 40_000));
    engine.market(tick(ETH, 0, 2_000));
    submit(PERP, 'sell', '1', { orderType: 'LIMIT', limitPrice: '50000', reduceOnly: true });
    submit(ETH, 'buy', '1', { orderType: 'LIMIT', limitPrice: '1000' });
    expect(brief(engine.market(tick(PERP, 1, 36_450)))).toEqual([
      'margin_call',
      'cancelled liquidated',
      'liquidation market 1@36450',
    ]);
    expect(engine.books('main').openOrders).toMatchObject([{ instrument: ETH }]);
  });

  it('looks at the close of a bar, and at its worst price only when told to', () => {
    const bar = barClosed(PERP, 0, [40_000, 40_000, 36_400, 39_900]);
    const spec = margin({ marginMode: 'isolated', positions: [long('1', '40000')] });
    const gentle = bench({}, spec).engine;
    gentle.market(barOpened(PERP, 0, 40_000));
    expect(gentle.market(bar)).toEqual([]);
    const strict = bench({ margin: { judgedOn: 'extremes' } }, spec).engine;
    strict.market(barOpened(PERP, 0, 40_000));
    expect(brief(strict.market(bar))).toEqual(['margin_call', 'liquidation market 1@36400']);
  });

  it('may follow from funding', () => {
    const { engine } = bench({}, margin({ marginMode: 'isolated', positions: [long('1', '40000')] }));
    engine.market(tick(PERP, 0, 36_600));
    expect(brief(engine.market(funding(PERP, 3_600_000, 0.005, 36_600)))).toEqual([
      'funding',
      'margin_call',
      'liquidation market 1@36600',
    ]);
  });

  it('calls once, and again only after the account had recovered', () => {
    const { engine } = bench({}, margin({ marginMode: 'isolated', positions: [long('1', '40000')] }));
    const at = (ms: number, price: number) => brief(engine.market(tick(PERP, ms, price)));
    expect([at(0, 36_550), at(1, 36_540), at(2, 36_600), at(3, 36_550), at(4, 36_700), at(5, 36_550)]).toEqual([
      ['margin_call'],
      [],
      [],
      [],
      [],
      ['margin_call'],
    ]);
  });
});

describe('funding', () => {
  it('is paid on the position of the settlement instant, though it is announced later', () => {
    const { engine, submit } = bench({}, margin());
    engine.market(tick(PERP, 3_599_000, 40_000));
    submit(PERP, 'buy', '1', { sentAt: 3_599_500 });
    submit(PERP, 'sell', '0.4', { sentAt: 3_600_000 });
    submit(PERP, 'sell', '0.6', { sentAt: 3_600_700 });
    const late = funding(PERP, 3_600_000, 0.0001, 40_000);
    const reports = engine.market({ ...late, occurredAt: T0 + 3_602_000 });
    expect(reports).toMatchObject([{ kind: 'funding', quantity: '0.6', side: 'buy', amount: '-2.4' }]);
    expect(engine.books('main')).toMatchObject({ funding: '-2.4', positions: [] });
  });

  it('is not paid for an instant of which it is not known any more what was held', () => {
    const { engine, submit } = bench({}, margin({ positions: [long('1', '40000')] }));
    const paid = (ms: number) => engine.market(funding(PERP, ms, 0.0001, 40_000)).map(({ quantity }) => quantity);
    // The account was opened behind it.
    expect(paid(-3_600_000)).toEqual([]);
    engine.market(tick(PERP, 0, 40_000));
    submit(PERP, 'sell', '0.4', { sentAt: 60_000 });
    submit(PERP, 'sell', '0.2', { sentAt: 7_200_500 });
    submit(PERP, 'sell', '0.2', { sentAt: 14_400_500 });
    // The change at 1 minute is forgotten, that of 2 hours is what the last minute began with.
    expect([paid(0), paid(3_600_000), paid(7_200_000)]).toEqual([[], [], []]);
    expect([paid(10_800_000), paid(18_000_000)]).toEqual([['0.4'], ['0.2']]);
    const { knownFrom: _none, ...older } = engine.snapshot().accounts.main!.positions[PERP]!;
    const state = engine.snapshot();
    state.accounts.main!.positions[PERP] = older as never;
    const again = createVenueEngine({ priceSources: {}, fundingSources: {} }, { snapshot: state });
    expect(again.market(funding(PERP, 12_000_000, 0.0001, 40_000))).toEqual([]);
  });

  it('is received by shorts, at the mark and flagged when there is no oracle price', () => {
    const { engine, submit } = bench({}, margin());
    engine.market(tick(PERP, 0, 40_000));
    submit(PERP, 'sell', '1');
    expect(engine.market(funding(PERP, 3_600_000, 0.0001))).toMatchObject([
      { side: 'sell', price: '40000', amount: '4', code: 'derived' },
    ]);
    engine.market(tick(PERP, 3_600_001, 41_000, { kind: 'oracle' }));
    expect(engine.market(funding(PERP, 7_200_000, 0.0001))).toMatchObject([{ price: '41000', amount: '4.1' }]);
  });

  it('comes from the configured source, and a predicted rate pays nothing', () => {
    const { engine, submit } = bench({ fundingSources: { [PERP]: 'BTCUSDT.BINANCE-USDM' } }, margin());
    engine.market(tick(PERP, 0, 40_000));
    submit(PERP, 'buy', '1');
    expect(engine.market(funding(PERP, 3_600_000, 0.0001, 40_000))).toEqual([]);
    const elsewhere = funding('BTCUSDT.BINANCE-USDM', 3_600_000, 0.0001, 40_000);
    const predicted = { ...elsewhere, data: { ...elsewhere.data, status: 'predicted' } } as typeof elsewhere;
    expect(engine.market(predicted)).toEqual([]);
    expect(engine.market(elsewhere)).toMatchObject([{ kind: 'funding', instrument: PERP, amount: '-4' }]);
  });

  it('of an isolated position comes from its own margin', () => {
    const { engine, submit } = bench({}, margin({ marginMode: 'isolated' }));
    engine.market(tick(PERP, 0, 40_000));
    submit(PERP, 'buy', '1');
    engine.market(funding(PERP, 3_600_000, 0.0001, 40_000));
    expect(engine.books('main').positions).toMatchObject([{ margin: '3996', funding: '-4' }]);
  });
});
