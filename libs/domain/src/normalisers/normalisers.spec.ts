import fc from 'fast-check';
import type { AnyEvent, EmitData } from '@moon/events';
import { driveHandler, testEvent } from '../handler';
import { createBarBuilder, createLiquidationNormaliser, createSentimentNormaliser, minuteQuoteVolume } from '.';

const T0 = Date.UTC(2025, 0, 27, 16, 50);
const MINUTE = 60_000;
const HOUR = 3_600_000;

describe('liquidation normaliser', () => {
  const liquidation = (afterMs: number, side: 'buy' | 'sell', notional: number): AnyEvent =>
    testEvent('market.liquidation', T0 + afterMs, {
      token: 'BTC',
      instrument: 'BTCUSDT.BINANCE-USDM',
      side,
      price: 100_000,
      size: notional / 100_000,
      timestamp: T0 + afterMs,
    });

  it('[EVT-1] counts the liquidations of the last minute, longs and shorts apart, and says cascade only when count and notional are reached', () => {
    const normaliser = createLiquidationNormaliser({ cascadeCount: 3, cascadeNotional: 60_000 });
    const { of } = driveHandler(normaliser, [
      liquidation(0, 'sell', 50_000),
      liquidation(1_000, 'sell', 20_000),
      liquidation(2_000, 'buy', 10_000),
      liquidation(60_000, 'sell', 1_000),
    ]);
    expect(of('liquidation.event').slice(0, 3)).toEqual([
      {
        token: 'BTC',
        liquidation_count: 1,
        cascade_indicator: false,
        timestamp: T0,
        longNotional: 50_000,
        shortNotional: 0,
        windowMs: MINUTE,
      },
      {
        token: 'BTC',
        liquidation_count: 2,
        cascade_indicator: false,
        timestamp: T0 + 1_000,
        longNotional: 70_000,
        shortNotional: 0,
        windowMs: MINUTE,
      },
      {
        token: 'BTC',
        liquidation_count: 3,
        cascade_indicator: true,
        timestamp: T0 + 2_000,
        longNotional: 70_000,
        shortNotional: 10_000,
        windowMs: MINUTE,
      },
    ]);
    expect(of('liquidation.event')[3]).toMatchObject({
      liquidation_count: 3,
      cascade_indicator: false,
      longNotional: 21_000,
    });
  });

  it('says when a cascade is over, though no further liquidation comes', () => {
    const normaliser = createLiquidationNormaliser({ cascadeCount: 2, cascadeNotional: 0 });
    const events = [liquidation(0, 'sell', 1_000), liquidation(10, 'sell', 1_000)];
    const { of, pending } = driveHandler(normaliser, events, { until: T0 + HOUR });
    expect(of('liquidation.event').at(-1)).toMatchObject({
      liquidation_count: 0,
      cascade_indicator: false,
      timestamp: T0 + 10 + MINUTE,
    });
    expect(of('liquidation.event')).toHaveLength(3);
    expect(pending).toEqual([]);
  });

  it('says it once when a smaller count has said it before', () => {
    const normaliser = createLiquidationNormaliser({ cascadeCount: 2, cascadeNotional: 0 });
    const events = [
      liquidation(0, 'sell', 1_000),
      liquidation(10, 'sell', 1_000),
      liquidation(60_005, 'buy', 1),
      liquidation(120_005, 'buy', 1),
    ];
    const { of } = driveHandler(normaliser, events, { until: T0 + HOUR });
    expect(of('liquidation.event').map((one) => one.cascade_indicator)).toEqual([false, true, true, false]);
  });
});

describe('sentiment normaliser', () => {
  const reading = (
    afterMs: number,
    score: number,
    scale: [number, number] = [-1, 1],
    source = 'tradingview',
  ): AnyEvent =>
    testEvent('market.sentiment', T0 + afterMs, {
      token: 'BTC',
      source,
      score,
      scaleMin: scale[0],
      scaleMax: scale[1],
      text: '',
      timestamp: T0 + afterMs,
    });
  const updates = (...events: AnyEvent[]): EmitData<'sentiment.update'>[] =>
    driveHandler(createSentimentNormaliser(), events).of('sentiment.update');

  it('[EVT-1] puts every scale on 0 to 100', () => {
    expect(updates(reading(0, -1), reading(1, 0), reading(2, 0.5)).map((one) => one.bullish_pct)).toEqual([0, 50, 75]);
    expect(updates(reading(0, 27, [0, 100], 'fear_greed_index'))[0]).toEqual({
      token: 'BTC',
      bullish_pct: 27,
      velocity: null,
      confidence: 0.333333333333333,
      timestamp: T0,
      source: 'fear_greed_index',
    });
  });

  it('[EVT-1] gives the change per hour against the same source, 0 where there is nothing to compare with', () => {
    const all = updates(
      reading(0, 20, [0, 100]),
      reading(1, 0, [-1, 1], 'reddit'),
      reading(2 * HOUR, 50, [0, 100]),
      reading(2 * HOUR + MINUTE, 40, [0, 100]),
    );
    expect(all.map((one) => one.velocity)).toEqual([null, null, 15, -10]);
  });

  it('is surer of a source that speaks often, less of one that has been silent', () => {
    const daily = updates(...Array.from({ length: 60 }, (_, day) => reading(day * 24 * HOUR, 0)));
    expect(daily[0]?.confidence).toBeCloseTo(1 / 3, 9);
    expect(daily[59]?.confidence).toBeCloseTo(0.5, 6);
    const [, , , afterSilence] = updates(reading(0, 1), reading(1, 1), reading(2, 1), reading(1_000 * HOUR, 1));
    expect(afterSilence?.confidence).toBeCloseTo(1 / 3, 6);
  });

  it('[EVT-1] derives nothing from a reading outside its own scale, and counts it', () => {
    const { of, state } = driveHandler(createSentimentNormaliser(), [reading(0, 101, [0, 100]), reading(1, 1, [1, 1])]);
    expect(of('sentiment.update')).toEqual([]);
    expect(state.refused).toBe(2);
  });

  it('remembers a bounded number of sources', () => {
    const events = Array.from({ length: 7 }, (_, i) => reading(i, 0, [-1, 1], `source-${i}`));
    const { state } = driveHandler(createSentimentNormaliser({ maxSources: 3 }), events);
    expect(state.sources.map((one) => one.source)).toEqual(['source-4', 'source-5', 'source-6']);
  });
});

describe('bar builder', () => {
  const trade = (afterMs: number, price: number, size?: number, kind: 'last' | 'mark' = 'last'): AnyEvent =>
    testEvent('price.tick', T0 + afterMs, {
      token: 'BTC',
      price,
      volume_1m: 0,
      timestamp: T0 + afterMs,
      instrument: 'BTC.HYPERLIQUID',
      kind,
      ...(size !== undefined && { size }),
    });
  const native = (minute: number, headers: object = {}): AnyEvent =>
    testEvent(
      'bar.closed',
      T0 + (minute + 1) * MINUTE,
      {
        token: 'BTC',
        instrument: 'BTC.HYPERLIQUID',
        intervalMs: MINUTE,
        open: 1,
        high: 1,
        low: 1,
        close: 1,
        volume: 1,
        timestamp: T0 + (minute + 1) * MINUTE,
        openedAt: T0 + minute * MINUTE,
      },
      headers,
    );

  it('opens a bar with the first trade of a minute and closes it at its end, before the next trade', () => {
    const { emitted } = driveHandler(createBarBuilder(), [
      trade(0, 100, 1),
      trade(10, 103, 0.1),
      trade(20, 98, 0.2),
      trade(30, 500, 9, 'mark'),
      trade(59_999, 101),
      trade(61_000, 7),
    ]);
    expect(emitted.map((one) => [one.type, one.at - T0])).toEqual([
      ['bar.opened', 0],
      ['bar.closed', MINUTE],
      ['bar.opened', 61_000],
    ]);
    expect(emitted[1]?.data).toEqual({
      token: 'BTC',
      instrument: 'BTC.HYPERLIQUID',
      intervalMs: MINUTE,
      open: 100,
      high: 103,
      low: 98,
      close: 101,
      volume: 1.3,
      timestamp: T0 + MINUTE,
      openedAt: T0,
      derived: true,
    });
  });

  it('closes a bar by the trade that stands exactly on its end', () => {
    const { emitted, cancelled } = driveHandler(createBarBuilder(), [trade(0, 100), trade(MINUTE, 101)]);
    expect(emitted.map((one) => one.type)).toEqual(['bar.opened', 'bar.closed', 'bar.opened']);
    expect(cancelled).toEqual(['close BTC.HYPERLIQUID']);
  });

  it('invents no bar: not for an empty minute, not for the minute in which it began to listen', () => {
    const { of } = driveHandler(createBarBuilder(), [trade(5_000, 1), trade(70_000, 2), trade(5 * MINUTE, 3)], {
      until: T0 + HOUR,
    });
    expect(of('bar.closed').map((one) => (one.openedAt - T0) / MINUTE)).toEqual([1, 5]);
  });

  it('a trade of a minute that is over changes nothing', () => {
    const { of } = driveHandler(createBarBuilder(), [trade(0, 100), trade(MINUTE, 101), trade(59_000, 1)], {
      until: T0 + HOUR,
    });
    expect(of('bar.closed').map((one) => one.low)).toEqual([100, 101]);
  });

  it('stands back for the feed’s own bars and comes back when they stay away; warm-up bars do not count', () => {
    const builder = createBarBuilder();
    const own = driveHandler(
      builder,
      [trade(0, 100), native(0), trade(61_000, 101), trade(125_000, 102), trade(3 * MINUTE, 103)],
      { until: T0 + HOUR },
    );
    expect(own.of('bar.closed').map((one) => (one.openedAt - T0) / MINUTE)).toEqual([3]);
    const warm = driveHandler(builder, [native(-1, { headers: { warmup: true } }), trade(0, 100)], {
      until: T0 + HOUR,
    });
    expect(warm.of('bar.closed')).toHaveLength(1);
  });

  it('follows a bounded number of instruments', () => {
    const other = (i: number): AnyEvent =>
      testEvent('price.tick', T0 + i, {
        token: 'BTC',
        price: 1,
        volume_1m: 0,
        timestamp: T0 + i,
        instrument: `I${i}.FTX`,
        kind: 'last',
      });
    const { state, pending } = driveHandler(createBarBuilder({ maxInstruments: 2 }), [trade(0, 1), other(1), other(2)]);
    expect(state.instruments.map((one) => one.instrument)).toEqual(['I1.FTX', 'I2.FTX']);
    expect(pending).toEqual([]);
  });
});

describe('volume_1m', () => {
  it('[EVT-1] is the quote volume of (t − 60 s, t] of the instrument alone', () => {
    const volume = minuteQuoteVolume();
    expect(volume('A', T0, 10)).toBe(10);
    expect(volume('B', T0, 99)).toBe(99);
    expect(volume('A', T0 + 59_999, 5)).toBe(15);
    expect(volume('A', T0 + 60_000, 1)).toBe(6);
    expect(volume('A', T0 + 59_000, 1)).toBe(7);
    expect(volume('A', T0 + HOUR, 0)).toBe(0);
  });

  it('has at most 15 significant digits, whatever was traded', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true })), (values) => {
        const volume = minuteQuoteVolume();
        values.forEach((value, i) => {
          const sum = volume('A', T0 + i, value);
          expect(Number(sum.toPrecision(15))).toBe(sum);
        });
      }),
    );
  });
});
