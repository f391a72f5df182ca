import type { AnyEvent } from '@moon/events';
import { driveHandler, testEvent, type Driven } from '../../handler';
import { createCorrelationAgent, type CorrelationAgentConfig, type CorrelationAgentState } from '.';

const T0 = Date.UTC(2026, 5, 1);
const MINUTE = 60_000;

const update = (minute: number, bullishPct: number, source = 'tradingview'): AnyEvent =>
  testEvent('sentiment.update', T0 + minute * MINUTE, {
    token: 'BTC',
    bullish_pct: bullishPct,
    velocity: 0,
    confidence: 0.5,
    timestamp: T0 + minute * MINUTE,
    source,
  });

const bar = (minute: number, close: number, overrides: object = {}): AnyEvent =>
  testEvent(
    'bar.closed',
    T0 + minute * MINUTE,
    {
      ...{ token: 'BTC', instrument: 'BTCUSDT.BINANCE-SPOT', intervalMs: MINUTE, volume: 1 },
      ...{ open: close, high: close, low: close, close },
      timestamp: T0 + minute * MINUTE,
      openedAt: T0 + (minute - 1) * MINUTE,
    },
    overrides,
  );

/** Bars from minute 1 to `minutes`, and updates just before the bar of their minute. */
function run(
  minutes: number,
  price: (minute: number) => number,
  updates: Record<number, number>,
  config: Partial<CorrelationAgentConfig> = {},
): Driven<CorrelationAgentState> {
  const events: AnyEvent[] = [];
  for (let minute = 1; minute <= minutes; minute += 1) {
    const bullish = updates[minute];
    if (bullish !== undefined) events.push(update(minute, bullish));
    events.push(bar(minute, price(minute)));
  }
  return driveHandler(createCorrelationAgent(config), events);
}

const rising = { 1: 40, 40: 55, 50: 70, 60: 90 };
const climb = (minute: number): number => 100_000 + 10 * minute;

describe('correlation agent', () => {
  it('[US5-1] detects that sentiment and price have risen together over the last hour', () => {
    const { of } = run(60, climb, rising);
    const [first] = of('correlation.detected');
    expect(first).toMatchObject({ token: 'BTC', threshold: 0.7, windowMs: 3_600_000, direction: 'up' });
    expect(first?.sentimentSource).toBe('tradingview');
    expect(first?.coefficient).toBeGreaterThan(0.7);
    expect(first?.samples).toBeGreaterThanOrEqual(30);
  });

  it('[US5-1] detects falling together as down', () => {
    const falling = { 1: 90, 40: 60, 50: 40, 60: 20 };
    expect(run(60, (minute) => 200_000 - climb(minute), falling).of('correlation.detected')[0]?.direction).toBe('down');
  });

  it('[US5-1] says nothing of a negative correlation, of a price that stands still, or of a sentiment that does', () => {
    expect(run(90, (minute) => 200_000 - climb(minute), rising).of('correlation.detected')).toEqual([]);
    expect(run(90, () => 100, rising).of('correlation.detected')).toEqual([]);
    expect(run(90, climb, { 1: 50, 40: 50, 50: 50, 60: 50 }).of('correlation.detected')).toEqual([]);
  });

  it('[US5-1] needs enough updates within the hour and enough samples', () => {
    expect(run(90, climb, { 1: 40, 60: 90 }).of('correlation.detected')).toEqual([]);
    expect(run(25, climb, { 1: 40, 10: 55, 15: 70, 20: 90 }).of('correlation.detected')).toEqual([]);
  });

  it('[US5-1] says a standing detection once, and again only when `repeatMs` has passed', () => {
    const config = { minUpdates: 1, repeatMs: 20 * MINUTE };
    const said = run(100, climb, rising, config).of('correlation.detected');
    const minutes = said.map((one) => (one.timestamp - T0) / MINUTE);
    expect(minutes.length).toBeGreaterThan(1);
    expect(minutes.slice(1).every((minute, i) => minute - (minutes[i] as number) === 20)).toBe(true);
    expect(run(100, climb, rising, { minUpdates: 1, repeatMs: 0 }).of('correlation.detected')).toHaveLength(1);
  });

  it('[US5-1] says it anew after the coefficient has fallen and crossed the threshold again', () => {
    const up = { 1: 30, 20: 45, 30: 60, 40: 75 };
    const later = { 161: 30, 180: 45, 190: 60, 200: 75 };
    const price = (minute: number): number => climb(minute < 161 ? Math.min(minute, 60) : minute - 100);
    const said = run(220, price, { ...up, ...later }, { repeatMs: 0 }).of('correlation.detected');
    expect(said).toHaveLength(2);
  });

  it('[US5-1] measures each source by itself', () => {
    const events: AnyEvent[] = [];
    const other: Record<number, number> = { 1: 90, 40: 60, 50: 40, 60: 20 };
    for (let minute = 1; minute <= 60; minute += 1) {
      const [a, b] = [rising[minute as keyof typeof rising], other[minute]];
      if (a !== undefined) events.push(update(minute, a, 'ideas'));
      if (b !== undefined) events.push(update(minute, b, 'posts'));
      events.push(bar(minute, climb(minute)));
    }
    const said = driveHandler(createCorrelationAgent(), events).of('correlation.detected');
    expect(said.map((one) => one.sentimentSource)).toEqual(['ideas']);
  });

  it('never mixes the prices of two instruments, and starts its samples afresh when it has to change', () => {
    const other = { instrument: 'BTC.HYPERLIQUID' };
    const foreign = (minute: number): AnyEvent => {
      const event = bar(minute, 1);
      return { ...event, data: { ...event.data, ...other } } as AnyEvent;
    };
    const agent = createCorrelationAgent();
    const known = driveHandler(agent, [update(1, 50), bar(1, 100), foreign(2), bar(2, 101), foreign(30)]);
    expect(known.state.bars.instrument).toBe('BTC.HYPERLIQUID');
    expect(known.state.sources[0]?.pairs.front.length).toBe(1);
    expect(known.state.sources[0]?.pairs.back.length).toBe(0);
  });

  it('keeps a bounded number of sources and of samples', () => {
    const events = Array.from({ length: 200 }, (_, i) => [
      update(i, i % 100, `source-${i}`),
      bar(i + 1, 100 + i),
    ]).flat();
    const { state } = driveHandler(createCorrelationAgent({ maxSources: 4 }), events);
    expect(state.sources.map((one) => one.source)).toEqual(['source-196', 'source-197', 'source-198', 'source-199']);
    expect(JSON.stringify(run(500, climb, rising).state).length).toBeLessThan(20_000);
  });

  it('learns from warm-up and says nothing on it', () => {
    const events = Array.from({ length: 60 }, (_, i) => bar(i + 1, climb(i + 1), { headers: { warmup: true } }));
    const sentiment = Object.entries(rising).map(([minute, bullish]) => update(Number(minute) - 0.5, bullish));
    const merged = [...events, ...sentiment].sort((a, b) => a.occurredAt - b.occurredAt);
    const { of, state } = driveHandler(createCorrelationAgent(), [...merged, bar(61, climb(61))]);
    expect(of('correlation.detected')).toHaveLength(1);
    expect(of('correlation.detected')[0]?.timestamp).toBe(T0 + 61 * MINUTE);
    expect(state.detections).toBe(1);
  });

  it('refuses a configuration that makes no sense, and says which key', () => {
    expect(() => createCorrelationAgent({ threshold: 1.5 })).toThrow(/correlation agent: \/threshold is 1.5/);
  });
});
