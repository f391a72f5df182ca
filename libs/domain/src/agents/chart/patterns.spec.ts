import type { Bar } from '../../indicators';
import { findPattern, noteSwing, type PatternInput } from './patterns';
import type { Swing } from './state';

const bar = (open: number, close: number, high = Math.max(open, close), low = Math.min(open, close)): Bar => ({
  openedAt: 0,
  open,
  high,
  low,
  close,
  volume: 1,
});
/** Bars given oldest first; one unit is one ATR. */
const find = (bars: Bar[], rest: Partial<PatternInput> = {}) =>
  findPattern({ bars: bars.reverse(), swings: [], atr: 1, trend: 0, ...rest });

describe('chart patterns', () => {
  it('three bars of weight in one direction are a run', () => {
    expect(find([bar(10, 10.5), bar(10.5, 11), bar(11, 11.6)])).toEqual({ name: 'three_up', value: 0.8 });
    expect(find([bar(11.6, 11), bar(11, 10.5), bar(10.5, 10)])).toEqual({ name: 'three_down', value: -0.8 });
  });

  it('a small body, or one against the run, is none', () => {
    expect(find([bar(10, 10.5), bar(10.5, 10.8), bar(10.8, 11.4)])).toBeNull();
    expect(find([bar(10, 10.5), bar(10.9, 10.4), bar(10.5, 11.2)])).toBeNull();
  });

  it('an engulfing bar counts against a trend only', () => {
    const bullish = () => [bar(10, 9.6), bar(9.5, 10.2)];
    expect(find(bullish(), { trend: -0.5 })).toEqual({ name: 'bullish_engulfing', value: 0.7 });
    expect(find(bullish(), { trend: 0.5 })).toBeNull();
    expect(find([bar(9.6, 10), bar(10.1, 9.4)], { trend: 0.5 })).toEqual({ name: 'bearish_engulfing', value: -0.7 });
    expect(find([bar(10, 9.6), bar(9.55, 10.1)], { trend: -0.5, atr: 2 })).toBeNull();
  });

  it('two tops at one level and a close through the low between them are a double top; bottoms likewise', () => {
    const tops: Swing[] = [
      { kind: 'high', price: 20 },
      { kind: 'low', price: 17 },
      { kind: 'high', price: 20.3 },
    ];
    expect(find([bar(18, 17.1), bar(17.1, 16.9)], { swings: tops })).toEqual({ name: 'double_top', value: -1 });
    expect(find([bar(16.9, 16.8), bar(16.8, 16.5)], { swings: tops })).toBeNull();
    const uneven = tops.map((swing, i) => (i === 2 ? { ...swing, price: 21 } : swing));
    expect(find([bar(18, 17.1), bar(17.1, 16.9)], { swings: uneven })).toBeNull();
    const bottoms: Swing[] = [
      { kind: 'low', price: 10 },
      { kind: 'high', price: 13 },
      { kind: 'low', price: 9.8 },
    ];
    expect(find([bar(12, 12.9), bar(12.9, 13.2)], { swings: bottoms })).toEqual({ name: 'double_bottom', value: 1 });
  });
});

describe('turning points', () => {
  /** Feeds bars one by one, oldest first, each as wide as given. */
  function swingsOf(ranges: [low: number, high: number][]): Swing[] {
    const swings: Swing[] = [];
    const bars: Bar[] = [];
    for (const [low, high] of ranges) {
      bars.unshift(bar(low, high, high, low));
      noteSwing(swings, bars.slice(0, 5));
    }
    return swings;
  }

  it('are known two bars later, alternate, and at most three are kept', () => {
    const zigzag: [number, number][] = [0, 1, 2, 1, 0, 1, 2, 3, 2, 1, 2, 3, 4, 5, 4, 3].map((level) => [
      level,
      level + 0.5,
    ]);
    expect(swingsOf(zigzag)).toEqual([
      { kind: 'high', price: 3.5 },
      { kind: 'low', price: 1 },
      { kind: 'high', price: 5.5 },
    ]);
  });

  it('of two highs in a row the higher stays', () => {
    const highs: [number, number][] = [
      [1, 2],
      [1, 3],
      [1, 4],
      [1, 3],
      [1, 2],
      [1, 3],
      [1, 5],
      [1, 3],
      [1, 2],
    ];
    expect(swingsOf(highs)).toEqual([{ kind: 'high', price: 5 }]);
  });
});
