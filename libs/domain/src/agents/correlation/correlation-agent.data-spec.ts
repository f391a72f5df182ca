import type { AnyEvent } from '@moon/events';
import { driveHandler, testEvent } from '../../handler';
import { createSentimentNormaliser } from '../../normalisers';
import { readSharedCandles, readSharedCsv } from '../../testing/shared-data';
import { createCorrelationAgent, type CorrelationAgentConfig } from '.';

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** The ideas as `sentiment.update`, through the normaliser; `shiftMs` moves them against the prices. */
function sentiment(shiftMs: number): AnyEvent[] {
  const raw = readSharedCsv('sentiment/tradingview-ideas-20260601-20260615.csv.gz').map((row) => {
    const timestamp = Number(row.timestamp_ms) + shiftMs;
    const data = {
      token: row.symbol ?? '',
      source: 'tradingview',
      score: Number(row.score),
      scaleMin: -1,
      scaleMax: 1,
    };
    return testEvent('market.sentiment', timestamp, { ...data, text: row.text_or_source ?? '', timestamp });
  });
  return driveHandler(createSentimentNormaliser(), raw)
    .emitted.flatMap((one) => (one.type === 'sentiment.update' ? [one] : []))
    .map((one) => testEvent('sentiment.update', one.at, one.data));
}

function bars(): AnyEvent[] {
  return readSharedCandles('candles/BTC-ETH-1m-20260601-20260615.csv.gz').map((bar) => {
    const { symbol, openedAt, ...prices } = bar;
    const names = { token: symbol.replace('USDT', ''), instrument: `${symbol}.BINANCE-SPOT`, intervalMs: MINUTE };
    return testEvent('bar.closed', openedAt + MINUTE, { ...names, ...prices, openedAt, timestamp: openedAt + MINUTE });
  });
}

describe('correlation agent on June 2026: Binance candles and TradingView ideas', () => {
  const candles = bars();
  const detected = (shiftMs: number, given: Partial<CorrelationAgentConfig> = {}): string[] => {
    const events = [...candles, ...sentiment(shiftMs)].sort((a, b) => a.occurredAt - b.occurredAt);
    const said = driveHandler(createCorrelationAgent(given), events).of('correlation.detected');
    return said.map(
      (one) =>
        `${one.token} ${one.direction} ${new Date(one.timestamp).toISOString().slice(5, 16)} ${one.coefficient.toFixed(2)}`,
    );
  };

  it('[US5-1] detects what the recording holds: one hour of Bitcoin and three of Ether in fifteen days, one of them said twice', () => {
    expect(detected(0)).toEqual([
      'BTC down 06-02T09:47 0.71',
      'ETH down 06-03T23:03 0.89',
      'ETH up 06-05T21:10 0.71',
      'ETH up 06-05T21:40 0.81',
      'ETH down 06-12T12:20 0.76',
    ]);
  });

  it('[US5-1] detects less, on the average, when the same ideas are moved against the prices', () => {
    const hours = detected(0, { repeatMs: 0 }).length;
    const shifts = Array.from({ length: 12 }, (_, n) => detected((n + 1) * 7 * HOUR, { repeatMs: 0 }).length);
    const mean = shifts.reduce((sum, n) => sum + n, 0) / shifts.length;
    expect(hours).toBe(4);
    expect(mean).toBeLessThan(hours - 1);
  });
});
