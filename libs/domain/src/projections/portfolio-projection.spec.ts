import { validateData, type AnyEvent, type EmitData } from '@moon/events';
import { driveHandler, testEvent } from '../handler';
import { createPortfolioProjection, type PortfolioProjectionConfig } from '.';

/** A multiple of five minutes, so that the deadlines are easy to read. */
const T0 = 1_700_000_100_000;
const MINUTE = 60_000;
const BTC = 'BTC.HYPERLIQUID';

const opened = testEvent('portfolio.opened', T0, {
  portfolio: 'main',
  accountModel: 'margin',
  marginMode: 'isolated',
  settlementAsset: 'USDC',
  ledgerScale: 12,
  instruments: [{ instrument: BTC, leverage: 10, priceSource: BTC }],
  subscriptions: { consensus: true, agents: [], instruments: [] },
  limits: {},
  sizing: { mode: 'fraction', fraction: 0.1, scaleByConfidence: false },
  timestamp: T0,
});
const deposited = testEvent('portfolio.deposited', T0, {
  portfolio: 'main',
  amount: '100000',
  asset: 'USDC',
  timestamp: T0,
});

function tick(at: number, price: number, over: Partial<EmitData<'price.tick'>> = {}): AnyEvent {
  const data = { token: 'BTC', price, volume_1m: 0, timestamp: at, instrument: BTC, kind: 'last' as const, ...over };
  return testEvent('price.tick', at, data);
}

function fill(at: number, side: 'buy' | 'sell', quantity: string, costBasisDelta: string, pnl = '0'): AnyEvent {
  return testEvent('portfolio.fill_booked', at, {
    portfolio: 'main',
    order_id: '7d9a2c0b-6f3e-5b11-8f0a-3a4f5e6d7c04',
    fillId: `${at}`,
    token: 'BTC',
    instrument: BTC,
    side,
    price: '50000',
    quantity,
    fee: '0',
    feeAsset: 'USDC',
    realisedPnl: pnl,
    cashDelta: pnl,
    costBasisDelta,
    timestamp: at,
  });
}

const halt = (at: number, over: object = {}) =>
  testEvent('halt.raised', at, {
    source: 'operator',
    scope: 'portfolio',
    portfolio: 'main',
    reason: 'audit',
    timestamp: at,
    ...over,
  });

function play(events: AnyEvent[], until?: number, config: Partial<PortfolioProjectionConfig> = {}) {
  const driven = driveHandler(
    createPortfolioProjection(config),
    [opened, deposited, ...events],
    until === undefined ? {} : { until },
  );
  for (const { type, data } of driven.emitted) validateData(type, { event_type: type, ...data });
  return driven;
}

const bought = (at = T0 + 1_000) => [tick(at, 50_000), fill(at, 'buy', '1', '50000')];

describe('[EVT-4] state.snapshot', () => {
  it('comes every five minutes of event time as long as anything happens', () => {
    const ticks = Array.from({ length: 12 }, (_, index) => tick(T0 + (index + 1) * MINUTE - 1, 50_000));
    const driven = play(ticks, T0 + 60 * MINUTE);
    const regular = driven.of('state.snapshot').slice(2);
    expect(regular.map(({ timestamp }) => (timestamp - T0) / MINUTE)).toEqual([5, 10, 15]);
    expect(driven.pending).toEqual([]);
  });

  it('says the whole of the portfolio', () => {
    const driven = play([...bought(), tick(T0 + 2_000, 51_000)], T0 + 5 * MINUTE);
    const snapshots = driven.of('state.snapshot');
    expect(snapshots[snapshots.length - 1]).toEqual({
      timestamp: T0 + 5 * MINUTE,
      portfolio: 'main',
      portfolio_value: 101_000,
      equity: 101_000,
      cash: '100000',
      leverage_ratio: 0.504950495049505,
      exposure: 51_000,
      daily_pnl: 1_000,
      drawdown: 0,
      riskScore: expect.any(Number) as number,
      halts: [],
      positions: {
        [BTC]: {
          token: 'BTC',
          instrument: BTC,
          side: 'long',
          quantity: '1',
          entryPrice: 50_000,
          mark: 51_000,
          notional: 51_000,
          unrealisedPnl: 1_000,
          liquidationPrice: 45_569.6202531646,
          distance: expect.closeTo((51_000 - 45_569.6202531646) / 51_000, 12) as number,
        },
      },
    });
  });

  it.each([
    ['a position is opened', bought(), 1],
    ['it is added to', [...bought(), fill(T0 + 2_000, 'buy', '1', '50000')], 1],
    ['it is closed', [...bought(), fill(T0 + 2_000, 'sell', '1', '-50000')], 2],
    ['it is flipped', [...bought(), fill(T0 + 2_000, 'sell', '2', '-100000')], 2],
    ['trading is halted', [halt(T0 + 1_000)], 1],
    ['another portfolio is halted', [halt(T0 + 1_000, { portfolio: 'second' })], 0],
    [
      'trading is halted globally',
      [testEvent('halt.raised', T0, { source: 'x', scope: 'global', reason: 'y', timestamp: T0 })],
      1,
    ],
    ['equity moves by more than 1 %', [...bought(), tick(T0 + 2_000, 50_999), tick(T0 + 2_001, 51_001)], 2],
    ['a position is opened in which nothing had a price', [fill(T0 + 1_000, 'buy', '1', '50000')], 1],
  ] as const)('at once when it is significant: %s', (_what, events, expected) => {
    // Two more come with the opening and the deposit.
    expect(play([...events]).of('state.snapshot')).toHaveLength(expected + 2);
  });

  it('nothing is published during the warm-up', () => {
    const warm = { ...tick(T0 + 1_000, 50_000), headers: { warmup: true } } as AnyEvent;
    const driven = play([warm]);
    expect(driven.state.prices.marks).toEqual({ [BTC]: 50_000 });
    expect(driven.emitted.filter(({ at }) => at > T0)).toEqual([]);
  });
});

describe('[EVT-4] state.changed', () => {
  it('says what changed and nothing else, in versions without a gap', () => {
    const driven = play([...bought(), tick(T0 + 5_000, 50_500), fill(T0 + 6_000, 'sell', '1', '-50000', '500')]);
    const changes = driven.of('state.changed');
    expect(changes.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
    expect(changes[0]?.delta.changed_fields).toHaveLength(10);
    expect(changes[1]?.delta).toEqual({
      changed_fields: ['cash', 'equity', 'portfolio_value'],
      new_cash: '100000',
      new_equity: 100_000,
      new_portfolio_value: 100_000,
    });
    expect(changes[2]?.delta.changed_fields).toEqual(['exposure', 'leverage_ratio', 'positions', 'riskScore']);
    expect(changes[3]?.delta).toMatchObject({ new_equity: 100_500, new_positions: { [BTC]: { mark: 50_500 } } });
    expect(changes[4]?.delta).toMatchObject({
      new_cash: '100500',
      new_positions: { [BTC]: null },
      new_leverage_ratio: 0,
    });
  });

  it('the deltas add up to the snapshot', () => {
    const events = [
      ...bought(),
      tick(T0 + 5_000, 50_500),
      halt(T0 + 6_000),
      fill(T0 + 7_000, 'sell', '0.4', '-20000', '200'),
    ];
    const driven = play(events, T0 + 5 * MINUTE);
    const folded: Record<string, unknown> = {};
    const positions: Record<string, unknown> = {};
    for (const { delta } of driven.of('state.changed')) {
      for (const field of delta.changed_fields) if (field !== 'positions') folded[field] = delta[`new_${field}`];
      for (const [instrument, position] of Object.entries((delta.new_positions ?? {}) as object)) {
        if (position === null) delete positions[instrument];
        else positions[instrument] = position;
      }
    }
    const snapshots = driven.of('state.snapshot');
    const {
      timestamp: _at,
      portfolio: _portfolio,
      ...last
    } = snapshots[snapshots.length - 1] as EmitData<'state.snapshot'>;
    expect({ ...folded, positions }).toEqual(last);
  });

  it('while only prices move, at most once a second; what is booked never waits', () => {
    const prices = Array.from({ length: 50 }, (_, index) => tick(T0 + 1_000 + index * 100, 50_000 + index));
    const driven = play([...bought(), ...prices, fill(T0 + 5_950, 'buy', '0.1', '5000')]);
    const after = driven.of('state.changed').filter(({ timestamp }) => timestamp > T0 + 1_000);
    expect(after.map(({ timestamp }) => timestamp - T0)).toEqual([2_000, 3_000, 4_000, 5_000, 5_950]);
  });

  it('nothing is said when nothing changed', () => {
    const driven = play([
      ...bought(),
      tick(T0 + 3_000, 50_000),
      tick(T0 + 6_000, 50_000),
      tick(T0 + 9_000, 50_000, { instrument: 'other' }),
    ]);
    expect(driven.of('state.changed')).toHaveLength(3);
  });

  it('drawdown is measured from every price, published or not', () => {
    const driven = play([...bought(), tick(T0 + 1_100, 50_900), tick(T0 + 3_000, 50_000)]);
    const changes = driven.of('state.changed');
    expect(changes[changes.length - 1]?.delta.new_drawdown).toBeCloseTo(900 / 100_900, 12);
  });
});
