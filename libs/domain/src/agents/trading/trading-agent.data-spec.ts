import { eventId, type AnyEvent, type EmitData } from '@moon/events';
import { driveHandler, testEvent } from '../../handler';
import { readSharedCsv } from '../../testing/shared-data';
import { createTradingAgent } from './trading-agent';

const DAY = 86_400_000;
const START = Date.UTC(2013, 0, 1);
type Row = Record<string, string>;

/** What the agent asks the model at each row's close; null while it warms up. Rows become daily bars, one after another. */
function questions(rows: readonly Row[]): (EmitData<'inference.requested'>['features'] | null)[] {
  const bars: AnyEvent[] = rows.map((row, i) => {
    const close = Number(row.Close);
    const openedAt = START + i * DAY;
    const where = { token: 'SPY', instrument: 'SPY.REFERENCE', intervalMs: DAY, openedAt, timestamp: openedAt + DAY };
    return testEvent('bar.closed', openedAt + DAY, {
      ...where,
      open: close,
      high: close,
      low: close,
      close,
      volume: 1,
    });
  });
  const agent = createTradingAgent({ intervalMs: DAY, conditions: { minIntervalMs: 0, reviewBars: 1 } });
  const asked = new Map(
    driveHandler(agent, bars)
      .of('inference.requested')
      .map((one) => [one.inferenceId, one.features]),
  );
  return bars.map((bar) => asked.get(eventId('inference', bar.id, 'trading_agent')) ?? null);
}

/** Largest difference between a feature and a reference column, over the rows that have both, and how many those are. */
function compare(
  rows: readonly Row[],
  features: ReturnType<typeof questions>,
  name: string,
  column: string,
): { worst: number; rows: number } {
  const differences = rows.flatMap((row, i) => {
    const value = features[i]?.[name];
    return row[column] === '' || value === undefined ? [] : [Math.abs(Number(value) - Number(row[column]))];
  });
  return { worst: Math.max(...differences), rows: differences.length };
}

describe('the figures that the trading agent asks the model about, against the LEAN reference series', () => {
  it('[TRD-1] SMA 20 and Bollinger 20/2 equal LEAN to 6e-5', () => {
    const rows = readSharedCsv('reference/lean-spy_bollinger_bands.txt');
    const features = questions(rows);
    expect(compare(rows, features, 'smaFast', 'Moving Average 20')).toMatchObject({ rows: rows.length - 49 });
    expect(compare(rows, features, 'smaFast', 'Moving Average 20').worst).toBeLessThan(1e-6);
    expect(compare(rows, features, 'bollingerUpper', 'Bollinger Bands® 20 2 Top').worst).toBeLessThan(6.1e-5);
    expect(compare(rows, features, 'bollingerLower', 'Bollinger Bands® 20 2 Bottom').worst).toBeLessThan(6.1e-5);
  });

  it('[TRD-1] RSI 14 (Wilder) and MACD 12/26 equal LEAN', () => {
    const rows = readSharedCsv('reference/lean-spy_with_indicators.txt');
    const features = questions(rows);
    expect(compare(rows, features, 'rsi', 'RSI 14 Wilder').rows).toBe(rows.length - 49);
    expect(compare(rows, features, 'rsi', 'RSI 14 Wilder').worst).toBeLessThan(1e-5);
    expect(compare(rows, features, 'macd', 'MACD 12 26').worst).toBeLessThan(2e-4);
  });

  it('[TRD-1] MACD 12/26/9 with signal and histogram equal LEAN to 6e-6', () => {
    const rows = readSharedCsv('reference/lean-spy_with_macd.txt');
    const features = questions(rows);
    expect(compare(rows, features, 'macd', 'MACD').worst).toBeLessThan(6e-6);
    expect(compare(rows, features, 'macdSignal', 'Signal').worst).toBeLessThan(6.1e-6);
    expect(compare(rows, features, 'macdHistogram', 'Histogram').worst).toBeLessThan(6e-6);
  });

  it('[TRD-1] SMA 50 equals the mean of the last 50 closes, added up afresh', () => {
    const rows = readSharedCsv('reference/lean-spy_with_indicators.txt');
    const closes = rows.map((row) => Number(row.Close));
    const means = rows.map((row, i) => ({
      ...row,
      mean: i < 49 ? '' : String(closes.slice(i - 49, i + 1).reduce((a, b) => a + b) / 50),
    }));
    expect(compare(means, questions(rows), 'smaSlow', 'mean')).toMatchObject({ rows: rows.length - 49 });
    expect(compare(means, questions(rows), 'smaSlow', 'mean').worst).toBeLessThan(1e-9);
  });
});
