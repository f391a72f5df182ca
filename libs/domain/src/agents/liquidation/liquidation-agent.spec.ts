import type { AnyEvent } from '@moon/events';
import { driveHandler, testEvent } from '../../handler';
import { createLiquidationAgent } from '.';

const T0 = Date.UTC(2025, 0, 27, 16, 50);

function liquidations(
  afterMs: number,
  longs: number,
  shorts: number,
  more: { count?: number; cascade?: boolean; warmup?: true } = {},
): AnyEvent {
  const { count = 20, cascade = true, warmup } = more;
  const data = {
    ...{ token: 'BTC', liquidation_count: count, cascade_indicator: cascade, timestamp: T0 + afterMs },
    ...{ longNotional: longs, shortNotional: shorts, windowMs: 60_000 },
  };
  return testEvent('liquidation.event', T0 + afterMs, data, warmup === true ? { headers: { warmup } } : {});
}

const halt = (type: 'halt.raised' | 'halt.lifted', afterMs: number): AnyEvent =>
  testEvent(type, T0 + afterMs, { source: 'risk', scope: 'global', reason: 'drawdown', timestamp: T0 + afterMs });

describe('liquidation agent', () => {
  it('[AGT-5] follows a cascade from beginning to end and says nothing unless configured', () => {
    const events = [liquidations(0, 300_000, 0), liquidations(1_000, 900_000, 0)];
    const { state, emitted } = driveHandler(createLiquidationAgent(), events);
    expect(emitted).toEqual([]);
    expect(state.cascade).toMatchObject({ side: 'longs', startedAt: T0, notional: 900_000 });
    const over = driveHandler(createLiquidationAgent(), events, { until: T0 + 61_000 });
    expect(over.state).toMatchObject({ cascade: null, counts: { cascades: 1, signals: 0 } });
  });

  it('[AGT-5] follow: sells while longs are forced out, buys while shorts are, by the stated formula', () => {
    const agent = createLiquidationAgent({ signals: 'follow' });
    const [sell] = driveHandler(agent, [liquidations(0, 250_000, 0)]).of('signal.generated');
    expect(sell).toMatchObject({
      token: 'BTC',
      action: 'SELL',
      agent: 'liquidation_agent',
      score: 75,
      confidence: 0.6,
    });
    expect(sell?.windowId).toBeUndefined();
    const [buy] = driveHandler(agent, [liquidations(0, 50_000, 200_000, { count: 10 })]).of('signal.generated');
    expect(buy).toMatchObject({ action: 'BUY', confidence: 0.32, context: { side: 'shorts', liquidations: 10 } });
  });

  it('[AGT-5] follow: repeats itself only when the cascade has become markedly worse', () => {
    const agent = createLiquidationAgent({ signals: 'follow' });
    const growth = [100_000, 120_000, 150_000, 400_000, 450_000, 400_000].map((notional, i) =>
      liquidations(i * 1_000, notional, 0),
    );
    expect(
      driveHandler(agent, growth)
        .of('signal.generated')
        .map((one) => one.context?.notional),
    ).toEqual([100_000, 400_000]);
  });

  it('[AGT-5] fade: goes the other way once, when the cascade has been over for a while', () => {
    const agent = createLiquidationAgent({ signals: 'fade' });
    const lull = liquidations(2_000, 10, 0, { cascade: false });
    const events = [liquidations(0, 250_000, 0), lull, liquidations(3_000, 100_000, 0)];
    const { of } = driveHandler(agent, events, { until: T0 + 3_600_000 });
    expect(of('signal.generated')).toHaveLength(1);
    expect(of('signal.generated')[0]).toMatchObject({
      action: 'BUY',
      score: 75,
      confidence: 0.3,
      timestamp: T0 + 63_000,
    });
    const warm = [liquidations(0, 250_000, 0, { warmup: true })];
    expect(driveHandler(agent, warm, { until: T0 + 3_600_000 }).emitted).toEqual([]);
  });

  it('has no direction when both sides are forced out, and begins anew when the side changes', () => {
    const agent = createLiquidationAgent({ signals: 'follow' });
    const events = [
      liquidations(0, 200_000, 200_000),
      liquidations(1_000, 500_000, 0),
      liquidations(2_000, 0, 500_000),
    ];
    const { of, state } = driveHandler(agent, events);
    expect(of('signal.generated').map((one) => one.action)).toEqual(['SELL', 'BUY']);
    expect(state.counts.cascades).toBe(2);
  });

  it('under a global halt it goes on watching and says nothing; warm-up is only learnt from', () => {
    const agent = createLiquidationAgent({ signals: 'follow' });
    const events = [
      halt('halt.raised', 0),
      liquidations(1, 500_000, 0),
      halt('halt.lifted', 2),
      liquidations(3, 9_000_000, 0),
    ];
    const { of, state } = driveHandler(agent, events, { key: 'BTC' });
    expect(of('signal.generated')).toHaveLength(1);
    expect(state.counts).toEqual({ cascades: 1, signals: 1, withheld: 1 });
    const warm = driveHandler(agent, [liquidations(0, 500_000, 0, { warmup: true })]);
    expect(warm.emitted).toEqual([]);
    expect(warm.state.cascade?.signalled).toBeNull();
  });

  it('refuses a configuration that makes no sense, and says which key', () => {
    expect(() => createLiquidationAgent({ dominance: 0.2 })).toThrow(/liquidation agent: \/dominance is 0.2/);
  });
});
