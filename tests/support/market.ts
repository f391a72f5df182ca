import { writeFileSync } from 'node:fs';

/** A small deterministic generator of uniform numbers in [0, 1): Lehmer's, modulus 2^31 − 1. */
export function lehmer(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export interface MarketShape {
  seed: number;
  minutes: number;
  /** First candle's open, ms. */
  start: number;
  symbols: ReadonlyArray<{ symbol: string; price: number }>;
  /** Minute at which prices begin to fall by `crashShare` within 30 minutes; none when left out. */
  crashAt?: number;
  crashShare?: number;
}

/** One-minute candles with trends that last about an hour, so that trend followers trade, and a crash on demand. */
export function candleLines(shape: MarketShape): string[] {
  const random = lehmer(shape.seed);
  const lines = ['timestamp_ms,symbol,open,high,low,close,volume'];
  const states = shape.symbols.map(({ symbol, price }) => ({ symbol, price, drift: 0, left: 0 }));
  for (let minute = 0; minute < shape.minutes; minute += 1) {
    for (const state of states) {
      if (state.left === 0) {
        state.drift = (random() - 0.5) * 0.0012;
        state.left = 30 + Math.floor(random() * 60);
      }
      state.left -= 1;
      const isCrash = shape.crashAt !== undefined && minute >= shape.crashAt && minute < shape.crashAt + 30;
      const drift = isCrash ? Math.log(1 - (shape.crashShare ?? 0.3)) / 30 : state.drift;
      const open = state.price;
      const close = open * Math.exp(drift + (random() - 0.5) * 0.0006);
      const high = Math.max(open, close) * (1 + random() * 0.0003);
      const low = Math.min(open, close) * (1 - random() * 0.0003);
      state.price = Number(close.toFixed(2));
      const volume = (5 + random() * 40).toFixed(3);
      const at = shape.start + minute * 60_000;
      lines.push(
        [
          at,
          state.symbol,
          state.price === open ? open : open.toFixed(2),
          high.toFixed(2),
          low.toFixed(2),
          close.toFixed(2),
          volume,
        ].join(','),
      );
    }
  }
  return lines.map(enclose);
}

export function writeCandles(path: string, shape: MarketShape): void {
  writeFileSync(path, `${candleLines(shape).join('\n')}\n`);
}

/** Rounding may put open or close a cent outside high and low: widens them. */
function enclose(line: string, index: number): string {
  if (index === 0) return line;
  const [at, symbol, open, high, low, close, volume] = line.split(',') as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const prices = [Number(open), Number(close)];
  return [at, symbol, open, Math.max(...prices, Number(high)), Math.min(...prices, Number(low)), close, volume].join(
    ',',
  );
}
