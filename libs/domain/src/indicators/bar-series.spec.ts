import fc from 'fast-check';
import { barAt, createBarSeries, pushBar, type Bar } from './bar-series';

const MINUTE = 60_000;
const bar = (minute: number, close: number): Bar => ({
  openedAt: minute * MINUTE,
  open: close - 1,
  high: close + 2,
  low: close - 3,
  close,
  volume: 1,
});

describe('bar series', () => {
  it('[TRD-1] makes one five-minute bar of five one-minute bars, closed with the fifth', () => {
    const series = createBarSeries(5 * MINUTE, 10);
    for (let minute = 0; minute < 4; minute += 1)
      expect(pushBar(series, bar(minute, 100 + minute), MINUTE)).toEqual([]);
    expect(pushBar(series, bar(4, 50), MINUTE)).toEqual([
      { openedAt: 0, open: 99, high: 105, low: 47, close: 50, volume: 5 },
    ]);
    expect(series.forming).toBeNull();
  });

  it('[TRD-1] a gap invents no bar: the bar before it closes late, the empty ones never exist', () => {
    const series = createBarSeries(5 * MINUTE, 10);
    pushBar(series, bar(0, 100), MINUTE);
    const closed = pushBar(series, bar(29, 200), MINUTE);
    expect(closed.map((one) => [one.openedAt / MINUTE, one.volume])).toEqual([
      [0, 1],
      [25, 1],
    ]);
    expect(pushBar(series, bar(7, 1), MINUTE)).toEqual([]);
    expect(barAt(series, 0)?.close).toBe(200);
    expect(barAt(series, 1)?.close).toBe(100);
    expect(barAt(series, 2)).toBeNull();
  });

  it('[TRD-1] a bar older than the forming one is ignored', () => {
    const series = createBarSeries(5 * MINUTE, 10);
    pushBar(series, bar(10, 100), MINUTE);
    expect(pushBar(series, bar(4, 1), MINUTE)).toEqual([]);
    expect(series.forming?.low).toBe(97);
  });

  it('[TRD-1] keeps the last `capacity` bars in order, whatever the length and the gaps', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 150 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 12 }),
        (steps, length, capacity) => {
          const series = createBarSeries(length * MINUTE, capacity);
          const closed: Bar[] = [];
          let minute = 0;
          for (const step of steps) {
            minute += step;
            closed.push(...pushBar(series, bar(minute, minute), MINUTE));
          }
          const stamps = closed.map((one) => one.openedAt);
          expect(stamps).toEqual([...new Set(stamps)].sort((a, b) => a - b));
          expect(stamps.every((stamp) => stamp % (length * MINUTE) === 0)).toBe(true);
          const kept = closed.slice(-capacity).reverse();
          kept.forEach((one, ago) => expect(barAt(series, ago)).toEqual(one));
          expect(barAt(series, kept.length)).toBeNull();
        },
      ),
    );
  });
});
