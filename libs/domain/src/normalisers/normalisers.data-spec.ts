import type { AnyEvent } from '@moon/events';
import { driveHandler, testEvent } from '../handler';
import { instrumentForFeed } from '../instruments';
import { readSharedCandles, readSharedCsv } from '../testing/shared-data';
import { createBarBuilder, createLiquidationNormaliser, createSentimentNormaliser, minuteQuoteVolume } from '.';

function instrumentOf(source: string, symbol: string): { id: string; token: string } {
  const instrument = instrumentForFeed(source, symbol);
  if (instrument === undefined) throw new Error(`${source} has no ${symbol}.`);
  return instrument;
}

function ticks(path: string, source: string): AnyEvent[] {
  const volume = minuteQuoteVolume();
  return readSharedCsv(path).map((row) => {
    const { id, token } = instrumentOf(source, row.symbol ?? '');
    const [timestamp, price, size] = [Number(row.timestamp_ms), Number(row.price), Number(row.size)];
    const data = { token, price, volume_1m: volume(id, timestamp, price * size), timestamp, instrument: id, size };
    return testEvent('price.tick', timestamp, { ...data, kind: 'last', side: row.side === 'buy' ? 'buy' : 'sell' });
  });
}

function liquidations(path: string): AnyEvent[] {
  return readSharedCsv(path).map((row) => {
    const { id, token } = instrumentOf('binance-usdm', row.symbol ?? '');
    const timestamp = Number(row.timestamp_ms);
    const data = { token, instrument: id, price: Number(row.price), size: Number(row.size), timestamp };
    return testEvent('market.liquidation', timestamp, { ...data, side: row.side === 'buy' ? 'buy' : 'sell' });
  });
}

describe('normalisers on recorded data', () => {
  it('[EVT-1] bars built from the Binance spot trades of 2024-08-08 equal the recorded candles of another source', () => {
    const events = ticks('trades/binance-spot-BTC-ETH-20240808-2354.csv.gz', 'binance-spot');
    const { of } = driveHandler(createBarBuilder(), events, { until: Date.UTC(2024, 7, 9) });
    const candles = new Map(
      readSharedCandles('candles/BTC-ETH-1m-20240808.csv.gz').map((bar) => [`${bar.symbol} ${bar.openedAt}`, bar]),
    );
    const built = of('bar.closed');
    expect(built.map((bar) => bar.openedAt).sort()[0]).toBe(Date.UTC(2024, 7, 8, 23, 55));
    expect(built).toHaveLength(10);
    for (const bar of built) {
      const candle = candles.get(`${bar.token}USDT ${bar.openedAt}`);
      expect([bar.open, bar.high, bar.low, bar.close]).toEqual([
        candle?.open,
        candle?.high,
        candle?.low,
        candle?.close,
      ]);
      expect(bar.volume).toBeCloseTo(candle?.volume ?? Number.NaN, 9);
    }
  });

  it('[EVT-1] volume_1m at the end of a whole minute is the quote volume of its trades', () => {
    const last = Date.UTC(2024, 7, 8, 23, 57) - 1;
    const volume = minuteQuoteVolume();
    let sum = 0;
    for (const row of readSharedCsv('trades/binance-spot-BTC-ETH-20240808-2354.csv.gz')) {
      const at = Number(row.timestamp_ms);
      if (row.symbol !== 'BTCUSDT' || at > last) continue;
      const quote = Number(row.price) * Number(row.size);
      if (at > last - 60_000) sum += quote;
      volume('BTCUSDT.BINANCE-SPOT', at, quote);
    }
    expect(sum).toBeGreaterThan(100_000);
    expect(volume('BTCUSDT.BINANCE-SPOT', last, 0)).toBeCloseTo(sum, 6);
  });

  it('[EVT-1] finds the cascades of 2025-01-27 and 2025-06-23 in the Binance liquidations, and their ends', () => {
    const cascades = (path: string): string[] => {
      const { of } = driveHandler(createLiquidationNormaliser(), liquidations(path), { until: Date.UTC(2025, 11, 31) });
      const began = of('liquidation.event').filter((one) => one.cascade_indicator);
      for (const token of new Set(began.map((one) => one.token))) {
        expect(
          of('liquidation.event')
            .filter((one) => one.token === token)
            .at(-1)?.cascade_indicator,
        ).toBe(false);
      }
      return [
        ...new Set(began.map((one) => `${one.token} ${one.longNotional > one.shortNotional ? 'longs' : 'shorts'}`)),
      ].sort();
    };
    expect(cascades('liquidations/binance-20250126-20250206.csv.gz')).toEqual(['BTC longs', 'DOGE longs', 'ETH longs']);
    expect(cascades('liquidations/binance-20250618-20250624.csv.gz')).toEqual([
      'BTC shorts',
      'ETH longs',
      'ETH shorts',
    ]);
  });

  it('[EVT-1] gives an update for each of the 292 TradingView ideas and for each day of fear and greed', () => {
    const update = (path: string, source: string, scale: [number, number]): number => {
      const events = readSharedCsv(path).map((row) => {
        const timestamp = Number(row.timestamp_ms);
        const data = {
          token: row.symbol ?? '',
          source,
          score: Number(row.score),
          scaleMin: scale[0],
          scaleMax: scale[1],
        };
        return testEvent('market.sentiment', timestamp, { ...data, text: row.text_or_source ?? '', timestamp });
      });
      return driveHandler(createSentimentNormaliser(), events).of('sentiment.update').length;
    };
    expect(update('sentiment/tradingview-ideas-20260601-20260615.csv.gz', 'tradingview', [-1, 1])).toBe(292);
    expect(update('sentiment/fear-greed-2018-2022.csv.gz', 'fear_greed_index', [0, 100])).toBe(1_792);
  });
});
