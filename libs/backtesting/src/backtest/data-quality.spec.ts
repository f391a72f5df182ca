import { barClosed, barOpened, funding, marketEvent, T0, tick } from '../testing/venue-desk';
import { createDataQuality } from './data-quality';

const SPOT = 'BTCUSDT.BINANCE-SPOT';
const PERP = 'BTC.HYPERLIQUID';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const flat = [100, 100, 100, 100] as const;

describe('the list of what is wrong with the data', () => {
  it('names each gap between bars, with its bounds and the bars that it lacks', () => {
    const quality = createDataQuality();
    for (const minute of [0, 1, 5, 6, 9]) {
      quality.observe(barOpened(SPOT, minute, 100));
      quality.observe(barClosed(SPOT, minute, flat));
    }
    expect(quality.report().instruments).toEqual([
      {
        ...{ instrument: SPOT, kind: 'bars', rows: 5, firstAt: T0, lastAt: T0 + 10 * MINUTE, intervalMs: MINUTE },
        ...{ gapCount: 2, missingRows: 5, zeroVolumeRows: 0 },
        gaps: [
          { from: T0 + 2 * MINUTE, to: T0 + 5 * MINUTE, missing: 3 },
          { from: T0 + 7 * MINUTE, to: T0 + 9 * MINUTE, missing: 2 },
        ],
      },
    ]);
  });

  it('counts bars without volume, repeats and late rows', () => {
    const quality = createDataQuality();
    for (const [minute, volume] of [
      [0, 0],
      [1, 5],
      [1, 5],
      [0, 5],
      [2, 0],
    ] as const)
      quality.observe(barClosed(SPOT, minute, flat, volume));
    const { instruments, duplicatesCollapsed, outOfOrder } = quality.report();
    expect(instruments[0]).toMatchObject({ rows: 5, zeroVolumeRows: 2, gapCount: 0 });
    expect({ duplicatesCollapsed, outOfOrder }).toEqual({ duplicatesCollapsed: 1, outOfOrder: 1 });
  });

  it('keeps the 50 longest of many gaps, in order of time, and counts all', () => {
    const quality = createDataQuality();
    let minute = 0;
    for (let gap = 0; gap < 80; gap += 1) {
      quality.observe(barClosed(SPOT, minute, flat));
      minute += 2 + ((gap * 37) % 80);
    }
    const [bars] = quality.report().instruments;
    expect(bars?.gapCount).toBe(79);
    expect(bars?.gaps).toHaveLength(50);
    const lengths = bars?.gaps.map((gap) => gap.missing ?? 0) ?? [];
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(30);
    const starts = bars?.gaps.map((gap) => gap.from) ?? [];
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
  });

  it('tells kinds and lengths apart, and misses no rows where none are due', () => {
    const quality = createDataQuality();
    quality.observe(tick(SPOT, 0, 100));
    quality.observe(tick(SPOT, 0, 100));
    quality.observe(tick(SPOT, 2 * HOUR, 100));
    quality.observe(tick(SPOT, 2 * HOUR, 100, { kind: 'mark' }));
    quality.observe(funding(PERP, HOUR, 0.0001));
    quality.observe(funding(PERP, 4 * HOUR, 0.0001));
    const { instruments, duplicatesCollapsed } = quality.report();
    expect(instruments.map(({ instrument, kind, rows, missingRows }) => [instrument, kind, rows, missingRows])).toEqual(
      [
        [PERP, 'funding', 2, 2],
        [SPOT, 'marks', 1, null],
        [SPOT, 'trades', 3, null],
      ],
    );
    expect(instruments[2]?.gaps).toEqual([{ from: T0, to: T0 + 2 * HOUR, missing: null }]);
    expect(duplicatesCollapsed).toBe(0);
  });

  it('lists where updates of a book are missing', () => {
    const quality = createDataQuality();
    const book = (at: number, first: number, last: number) =>
      marketEvent('book.delta', T0 + at, {
        ...{ token: 'BTC', instrument: SPOT, bids: [], asks: [], timestamp: T0 + at },
        ...{ firstUpdateId: first, lastUpdateId: last, previousUpdateId: first - 1 },
      });
    for (const each of [book(0, 1, 5), book(100, 6, 9), book(300, 12, 15), book(400, 16, 16)]) quality.observe(each);
    const [lane] = quality.report().instruments;
    expect(lane).toMatchObject({ kind: 'book', rows: 4, gapCount: 1, missingRows: null });
    expect(lane?.gaps).toEqual([{ from: T0 + 100, to: T0 + 300, missing: null }]);
  });

  it('adds what the reader set aside, conflicts once, and states its rules', () => {
    const reader = { duplicatesCollapsed: 7, conflicts: 2, refusedByReason: { bad_number: 3, conflict: 2 } };
    const report = createDataQuality().report(reader);
    expect(report).toMatchObject({ duplicatesCollapsed: 7, conflicts: 2, refusedByReason: { bad_number: 3 } });
    expect(report.refusedByReason).not.toHaveProperty('conflict');
    expect(report.rules.length).toBeGreaterThanOrEqual(7);
  });
});
