import { readShared, readSharedCsv } from '../testing/shared-data';
import { createAtr, pushAtr } from './atr';
import { createBollinger, pushBollinger } from './bollinger';
import { createEma, pushEma } from './ema';
import { createMacd, pushMacd } from './macd';
import { createRsi, pushRsi } from './rsi';
import { createSma, pushSma } from './sma';
import { createVwap, pushVwap } from './vwap';

type Row = Record<string, string>;

/**
 * Compares wherever the reference has a value. `tolerance` is the file's resolution: half a unit of its last decimal,
 * and a little more where the closes themselves were rounded to two decimals after the reference was computed.
 */
function expectEqual(rows: Row[], column: string, ours: (number | null)[], tolerance: number): void {
  const worst = rows.reduce((most, row, i) => {
    if (row[column] === '') return most;
    return Math.max(most, Math.abs(Number(row[column]) - (ours[i] ?? Number.NaN)));
  }, 0);
  expect(rows.filter((row) => row[column] !== '').length).toBeGreaterThan(180);
  expect(worst).toBeLessThanOrEqual(tolerance);
}

const close = (row: Row): number => Number(row.Close);

/** The first value comes with the same row as in the reference. */
function expectSameStart(rows: Row[], column: string, ours: (number | null)[]): void {
  expect(ours.findIndex((value) => value !== null)).toBe(rows.findIndex((row) => row[column] !== ''));
}

describe('indicators against LEAN reference series', () => {
  const spy = readSharedCsv('reference/lean-spy_with_indicators.txt');

  it('[TRD-1] SMA 14 equals LEAN to its two decimals', () => {
    const sma = createSma(14);
    const ours = spy.map((row) => pushSma(sma, close(row)));
    expectSameStart(spy, 'SMA14', ours);
    expectEqual(spy, 'SMA14', ours, 0.006);
  });

  it('[TRD-1] EMA 14 equals LEAN to its two decimals', () => {
    const ema = createEma(14);
    const ours = spy.map((row) => pushEma(ema, close(row)));
    expectSameStart(spy, 'EMA14', ours);
    expectEqual(spy, 'EMA14', ours, 0.006);
  });

  it('[TRD-1] RSI 14 (Wilder) equals LEAN to 5e-6', () => {
    const rsi = createRsi(14);
    const ours = spy.map((row) => pushRsi(rsi, close(row)));
    expectSameStart(spy, 'RSI 14 Wilder', ours);
    expectEqual(spy, 'RSI 14 Wilder', ours, 5e-6);
  });

  it('[TRD-1] MACD 12/26 equals LEAN to 2e-4 where its closes are cut to two decimals', () => {
    const macd = createMacd(12, 26, 9);
    const ours = spy.map((row) => pushMacd(macd, close(row))?.macd ?? null);
    expectSameStart(spy, 'MACD 12 26', ours);
    expectEqual(spy, 'MACD 12 26', ours, 2e-4);
  });

  it('[TRD-1] MACD 12/26/9 equals LEAN to 5e-6: line and histogram; its signal to 6e-6', () => {
    const rows = readSharedCsv('reference/lean-spy_with_macd.txt');
    const macd = createMacd(12, 26, 9);
    const ours = rows.map((row) => pushMacd(macd, close(row)));
    expectEqual(
      rows,
      'MACD',
      ours.map((one) => one?.macd ?? null),
      5e-6,
    );
    expectEqual(
      rows,
      'Signal',
      ours.map((one) => one?.signal ?? null),
      6e-6,
    );
    expectEqual(
      rows,
      'Histogram',
      ours.map((one) => one?.histogram ?? null),
      5e-6,
    );
  });

  it('[TRD-1] Bollinger bands 20/2 equal LEAN to 6e-5', () => {
    const rows = readSharedCsv('reference/lean-spy_bollinger_bands.txt');
    const bollinger = createBollinger(20, 2);
    const ours = rows.map((row) => pushBollinger(bollinger, close(row)));
    expectSameStart(
      rows,
      'Moving Average 20',
      ours.map((one) => one?.middle ?? null),
    );
    expectEqual(
      rows,
      'Moving Average 20',
      ours.map((one) => one?.middle ?? null),
      1e-9,
    );
    expectEqual(
      rows,
      'Bollinger Bands® 20 2 Top',
      ours.map((one) => one?.upper ?? null),
      6.1e-5,
    );
    expectEqual(
      rows,
      'Bollinger Bands® 20 2 Bottom',
      ours.map((one) => one?.lower ?? null),
      6.1e-5,
    );
    expectEqual(
      rows,
      'BandWidth',
      ours.map((one) => one?.bandwidth ?? null),
      1.1e-4,
    );
    expectEqual(
      rows,
      '%B',
      ours.map((one) => one?.percentB ?? null),
      6.4e-5,
    );
  });

  it('[TRD-1] ATR 14 (Wilder) equals LEAN to its five decimals', () => {
    const rows = readSharedCsv('reference/lean-spy_atr_wilder.txt');
    const atr = createAtr(14);
    const ours = rows.map((row) => pushAtr(atr, Number(row.High), Number(row.Low), close(row)));
    expectSameStart(rows, 'Average True Range 14', ours);
    expectEqual(rows, 'Average True Range 14', ours, 6e-6);
  });

  it('[TRD-1] rolling VWAP 50 equals LEAN to its four decimals', () => {
    const rows = readSharedCsv('reference/lean-spy_with_vwap.txt');
    const vwap = createVwap(50);
    const ours = rows.map((row) => {
      const price = (Number(row.Open) + Number(row.High) + Number(row.Low) + close(row)) / 4;
      return pushVwap(vwap, price, Number(row.Volume));
    });
    expectSameStart(rows, 'Moving VWAP 50', ours);
    expectEqual(rows, 'Moving VWAP 50', ours, 6e-5);
  });
});

/** Vectors of Tulip's own test file: rows of numbers below a line `name parameters…`, outputs to three decimals. */
function tulip(name: string): number[][] {
  const lines = readShared('reference/tulip-untest.txt').split(/\r?\n/);
  const from = lines.indexOf(name) + 1;
  if (from === 0) throw new Error(`Tulip has no vector called "${name}".`);
  const to = lines.findIndex((line, i) => i >= from && line.trim() === '');
  return lines.slice(from, to).map((line) => line.replace(/[{}]/g, '').split(',').map(Number));
}

function expectTail(ours: (number | null)[], reference: number[] | undefined): void {
  const values = ours.filter((value) => value !== null);
  const expected = reference ?? [];
  const tail = values.slice(values.length - expected.length);
  expect(tail).toHaveLength(expected.length);
  tail.forEach((value, i) => expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(5.01e-4));
}

describe('indicators against Tulip vectors', () => {
  it('[TRD-1] SMA 5, EMA 5 (seeded by the first input) and RSI 5', () => {
    const sma = createSma(5);
    const ema = createEma(5, 'first');
    const rsi = createRsi(5);
    const [smaIn, smaOut] = tulip('sma 5');
    const [emaIn, emaOut] = tulip('ema 5');
    const [rsiIn, rsiOut] = tulip('rsi 5');
    expectTail(
      (smaIn ?? []).map((x) => pushSma(sma, x)),
      smaOut,
    );
    expectTail(
      (emaIn ?? []).map((x) => pushEma(ema, x)),
      emaOut,
    );
    expectTail(
      (rsiIn ?? []).map((x) => pushRsi(rsi, x)),
      rsiOut,
    );
  });

  it('[TRD-1] MACD 2/5/9: line, signal, histogram (seeded by the first input)', () => {
    const [input, line, signal, histogram] = tulip('macd 2 5 9');
    const macd = createMacd(2, 5, 9, 'first');
    const ours = (input ?? []).map((x) => pushMacd(macd, x));
    expectTail(
      ours.map((one) => one?.macd ?? null),
      line,
    );
    expectTail(
      ours.map((one) => one?.signal ?? null),
      signal,
    );
    expectTail(
      ours.map((one) => one?.histogram ?? null),
      histogram,
    );
  });

  it('[TRD-1] Bollinger 5/2: lower, middle, upper', () => {
    const [input, lower, middle, upper] = tulip('bbands 5 2');
    const bollinger = createBollinger(5, 2);
    const ours = (input ?? []).map((x) => pushBollinger(bollinger, x));
    expectTail(
      ours.map((one) => one?.lower ?? null),
      lower,
    );
    expectTail(
      ours.map((one) => one?.middle ?? null),
      middle,
    );
    expectTail(
      ours.map((one) => one?.upper ?? null),
      upper,
    );
  });

  it('[TRD-1] ATR 5 and volume-weighted average 5', () => {
    const [high, low, closes, atrOut] = tulip('atr 5');
    const atr = createAtr(5);
    expectTail(
      (high ?? []).map((h, i) => pushAtr(atr, h, low?.[i] as number, closes?.[i] as number)),
      atrOut,
    );
    const [price, volume, vwmaOut] = tulip('vwma 5');
    const vwap = createVwap(5);
    expectTail(
      (price ?? []).map((p, i) => pushVwap(vwap, p, volume?.[i] as number)),
      vwmaOut,
    );
  });
});
