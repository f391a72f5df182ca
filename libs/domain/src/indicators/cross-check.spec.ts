import { BollingerBands, EMA, MACD, RSI, SMA, WSMA } from 'trading-signals';
import { createBollinger, pushBollinger } from './bollinger';
import { createEma, pushEma } from './ema';
import { createMacd, pushMacd } from './macd';
import { createRsi, pushRsi } from './rsi';
import { createSma, pushSma } from './sma';

/** A walk that needs no randomness: incommensurable waves around a price. */
const closes = Array.from({ length: 400 }, (_, i) => 50_000 + 900 * Math.sin(i / 9) + 350 * Math.cos(i * 1.7) + 3 * i);

/** An independent implementation under our own: trading-signals, whose averages start with the first input or the mean. */
describe('indicators against trading-signals', () => {
  it('[TRD-1] SMA 20, RSI 14 and Bollinger bands 20/2', () => {
    const theirs = { sma: new SMA(20), rsi: new RSI(14, WSMA), bands: new BollingerBands(20, 2) };
    const ours = { sma: createSma(20), rsi: createRsi(14), bands: createBollinger(20, 2) };
    closes.forEach((close, i) => {
      Object.values(theirs).forEach((one) => one.update(close, false));
      const sma = pushSma(ours.sma, close);
      const rsi = pushRsi(ours.rsi, close);
      const bands = pushBollinger(ours.bands, close);
      if (i < 20) return;
      expect(sma).toBeCloseTo(Number(theirs.sma.getResult()), 7);
      expect(rsi).toBeCloseTo(Number(theirs.rsi.getResult()), 7);
      expect(bands?.upper).toBeCloseTo(Number(theirs.bands.getResult()?.upper), 6);
      expect(bands?.lower).toBeCloseTo(Number(theirs.bands.getResult()?.lower), 6);
    });
  });

  it('[TRD-1] EMA and MACD seeded by the first input', () => {
    const theirs = { ema: new EMA(20), macd: new MACD(new EMA(12), new EMA(26), new EMA(9)) };
    const ours = { ema: createEma(20, 'first'), macd: createMacd(12, 26, 9, 'first') };
    closes.forEach((close, i) => {
      theirs.ema.update(close, false);
      theirs.macd.update(close, false);
      const ema = pushEma(ours.ema, close);
      const macd = pushMacd(ours.macd, close);
      if (i < 40) return;
      expect(ema).toBeCloseTo(Number(theirs.ema.getResult()), 7);
      expect(macd?.signal).toBeCloseTo(Number(theirs.macd.getResult()?.signal), 7);
      expect(macd?.macd).toBeCloseTo(Number(theirs.macd.getResult()?.macd), 7);
    });
  });
});
