import type { EventData } from '@moon/events';
import { followBar, isFresh, newBarSource } from './bar-source';

const START = 1_700_000_040_000;
const MINUTE = 60_000;

function bar(minute: number, instrument = 'BTCUSDT.BINANCE-SPOT', intervalMs = MINUTE): EventData<'bar.closed'> {
  const openedAt = START + minute * MINUTE;
  const prices = { open: 1, high: 1, low: 1, close: 1, volume: 1 };
  return {
    event_type: 'bar.closed',
    token: 'BTC',
    instrument,
    intervalMs,
    ...prices,
    openedAt,
    timestamp: openedAt + intervalMs,
  };
}

describe('the one series of bars that an agent follows', () => {
  it('takes the bars of the first instrument, in order, gaps included', () => {
    const source = newBarSource();
    expect([0, 1, 5].map((minute) => followBar(source, bar(minute), MINUTE))).toEqual(['take', 'take', 'take']);
  });

  it('passes over repeats, late bars, other lengths and other instruments', () => {
    const source = newBarSource();
    followBar(source, bar(3), MINUTE);
    const others = [bar(3), bar(2), bar(4, 'BTCUSDT.BINANCE-SPOT', 5 * MINUTE), bar(4, 'BTC.HYPERLIQUID')];
    expect(others.map((one) => followBar(source, one, MINUTE))).toEqual(['pass', 'pass', 'pass', 'pass']);
    expect(source).toMatchObject({ taken: 1, passedOver: 3 });
  });

  it('given the followed instrument has been silent for ten intervals, then another one starts a new series', () => {
    const source = newBarSource();
    followBar(source, bar(0), MINUTE);
    expect(followBar(source, bar(10, 'BTC.HYPERLIQUID'), MINUTE)).toBe('pass');
    expect(followBar(source, bar(11, 'BTC.HYPERLIQUID'), MINUTE)).toBe('restart');
    expect(followBar(source, bar(12), MINUTE)).toBe('pass');
    expect(followBar(source, bar(12, 'BTC.HYPERLIQUID'), MINUTE)).toBe('take');
  });

  it('knows whether its last bar is fresh', () => {
    const source = newBarSource();
    expect(isFresh(source, START, MINUTE)).toBe(false);
    followBar(source, bar(0), MINUTE);
    expect(isFresh(source, START + 2 * MINUTE, MINUTE)).toBe(true);
    expect(isFresh(source, START + 2 * MINUTE + 1, MINUTE)).toBe(false);
  });
});
