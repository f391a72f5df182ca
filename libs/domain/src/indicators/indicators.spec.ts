import fc from 'fast-check';
import { createAtr, pushAtr } from './atr';
import { createBollinger, pushBollinger } from './bollinger';
import { createEma, pushEma } from './ema';
import { createMacd, pushMacd } from './macd';
import { createRsi, pushRsi } from './rsi';
import { createSma, pushSma } from './sma';
import { createSessionVwap, createVwap, pushSessionVwap, pushVwap, typicalPrice } from './vwap';

const DAY = 86_400_000;
/** Prices that hurt: far apart in size, with few or many digits. */
const price = fc.oneof(
  fc.integer({ min: 1, max: 20_000_000 }).map((cents) => cents / 100),
  fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
);
const prices = fc.array(price, { minLength: 1, maxLength: 200 });
const period = fc.integer({ min: 1, max: 30 });

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: number[]): number => sum(values) / values.length;
const deviation = (values: number[]): number => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
const largest = (values: number[]): number => Math.max(...values.map(Math.abs));

/** Naive Wilder average of everything so far: the mean of the first n, then smoothed. */
function naiveWilder(values: number[], n: number): number | null {
  if (values.length < n) return null;
  return values.slice(n).reduce((average, value) => (average * (n - 1) + value) / n, mean(values.slice(0, n)));
}

function naiveEma(values: number[], n: number): number | null {
  if (values.length < n) return null;
  const k = 2 / (n + 1);
  return values.slice(n).reduce((average, value) => value * k + average * (1 - k), mean(values.slice(0, n)));
}

function expectClose(ours: number | null, naive: number | null, scale: number): void {
  if (naive === null) expect(ours).toBeNull();
  else expect(Math.abs((ours ?? Number.NaN) - naive)).toBeLessThanOrEqual(1e-12 * scale + 1e-300);
}

describe('indicators equal their definition, computed afresh at every bar', () => {
  it('[TRD-1] SMA', () => {
    fc.assert(
      fc.property(prices, period, (xs, n) => {
        const state = createSma(n);
        xs.forEach((x, i) => {
          const window = xs.slice(Math.max(0, i + 1 - n), i + 1);
          expectClose(pushSma(state, x), window.length < n ? null : mean(window), largest(window));
        });
      }),
    );
  });

  it('[TRD-1] SMA keeps its digits when a huge value has passed through the window', () => {
    const state = createSma(3);
    [1e15, 0.1, 0.2].forEach((x) => pushSma(state, x));
    expect(pushSma(state, 0.3)).toBeCloseTo(0.2, 15);
  });

  it('[TRD-1] EMA', () => {
    fc.assert(
      fc.property(prices, period, (xs, n) => {
        const state = createEma(n);
        xs.forEach((x, i) => expectClose(pushEma(state, x), naiveEma(xs.slice(0, i + 1), n), largest(xs)));
      }),
    );
  });

  it('[TRD-1] RSI: Wilder averages of gains and losses; 50 where nothing moved, 100 and 0 where all moves are one way', () => {
    fc.assert(
      fc.property(prices, period, (xs, n) => {
        const state = createRsi(n);
        xs.forEach((x, i) => {
          const changes = xs.slice(1, i + 1).map((now, j) => now - (xs[j] as number));
          const gain = naiveWilder(
            changes.map((change) => Math.max(change, 0)),
            n,
          );
          const loss = naiveWilder(
            changes.map((change) => Math.max(-change, 0)),
            n,
          );
          const ours = pushRsi(state, x);
          if (gain === null || loss === null) return expect(ours).toBeNull();
          if (gain + loss === 0) return expect(ours).toBe(50);
          expect(ours).toBeGreaterThanOrEqual(0);
          expect(ours).toBeLessThanOrEqual(100);
          expectClose(ours, (100 * gain) / (gain + loss), 100);
        });
      }),
    );
    const rising = createRsi(3);
    expect([1, 2, 3, 4].map((x) => pushRsi(rising, x))).toEqual([null, null, null, 100]);
    const falling = createRsi(3);
    expect([4, 3, 2, 1].map((x) => pushRsi(falling, x))).toEqual([null, null, null, 0]);
  });

  it('[TRD-1] MACD: two averages, and the average of their difference', () => {
    fc.assert(
      fc.property(prices, (xs) => {
        const state = createMacd(3, 6, 4);
        const lines: number[] = [];
        xs.forEach((x, i) => {
          const fast = naiveEma(xs.slice(0, i + 1), 3);
          const slow = naiveEma(xs.slice(0, i + 1), 6);
          const ours = pushMacd(state, x);
          if (fast === null || slow === null) return expect(ours).toBeNull();
          lines.push(fast - slow);
          const signal = naiveEma(lines, 4);
          expectClose(ours?.macd ?? null, fast - slow, largest(xs));
          expectClose(ours?.signal ?? null, signal, largest(xs));
          expectClose(ours?.histogram ?? null, signal === null ? null : fast - slow - signal, largest(xs));
        });
      }),
    );
  });

  it('[TRD-1] Bollinger bands: mean ± two population deviations of the window', () => {
    fc.assert(
      fc.property(prices, period, (xs, n) => {
        const state = createBollinger(n, 2);
        xs.forEach((x, i) => {
          const window = xs.slice(Math.max(0, i + 1 - n), i + 1);
          const ours = pushBollinger(state, x);
          if (window.length < n) return expect(ours).toBeNull();
          expectClose(ours?.middle ?? null, mean(window), largest(window));
          expectClose(ours?.upper ?? null, mean(window) + 2 * deviation(window), 4 * largest(window));
          expectClose(ours?.lower ?? null, mean(window) - 2 * deviation(window), 4 * largest(window));
        });
      }),
    );
  });

  it('[TRD-1] Bollinger bands keep their digits on high prices with small moves, and have no width on a flat market', () => {
    const offset = createBollinger(4, 1);
    const bands = [100_000.01, 100_000.02, 100_000.03, 100_000.04].map((x) => pushBollinger(offset, x)).at(-1);
    expect((bands?.upper ?? 0) - (bands?.middle ?? 0)).toBeCloseTo(Math.sqrt(1.25) / 100, 9);
    const flat = createBollinger(3, 2);
    [7.1, 0.3, 0.3, 0.3].forEach((x) => pushBollinger(flat, x));
    expect(pushBollinger(flat, 0.3)).toEqual({ middle: 0.3, upper: 0.3, lower: 0.3, bandwidth: 0, percentB: 0.5 });
  });

  it('[TRD-1] ATR: the Wilder average of true ranges, gaps included', () => {
    const bar = fc.tuple(price, price, fc.double({ min: 0, max: 1, noNaN: true })).map(([a, b, at]) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      return { high, low, close: low + (high - low) * at };
    });
    fc.assert(
      fc.property(fc.array(bar, { minLength: 1, maxLength: 80 }), period, (bars, n) => {
        const state = createAtr(n);
        const ranges: number[] = [];
        bars.forEach(({ high, low, close }, i) => {
          const before = bars[i - 1]?.close;
          const jump = before === undefined ? 0 : Math.max(Math.abs(high - before), Math.abs(low - before));
          ranges.push(Math.max(high - low, jump));
          expectClose(pushAtr(state, high, low, close), naiveWilder(ranges, n), largest(bars.map((one) => one.high)));
        });
      }),
    );
  });

  it('[TRD-1] VWAP, rolling: null while nothing was traded', () => {
    const trade = fc.tuple(price, fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e6, noNaN: true })));
    fc.assert(
      fc.property(fc.array(trade, { minLength: 1, maxLength: 120 }), period, (trades, n) => {
        const state = createVwap(n);
        trades.forEach(([x, volume], i) => {
          const window = trades.slice(Math.max(0, i + 1 - n), i + 1);
          const total = sum(window.map(([, v]) => v));
          const naive = window.length < n || total === 0 ? null : sum(window.map(([p, v]) => p * v)) / total;
          expectClose(pushVwap(state, x, volume), naive, largest(window.map(([p]) => p)));
        });
      }),
    );
  });

  it('[TRD-1] VWAP, session: starts afresh at 00:00 UTC', () => {
    const state = createSessionVwap();
    expect(pushSessionVwap(state, 3 * DAY, 10, 0)).toBeNull();
    expect(pushSessionVwap(state, 3 * DAY + 60_000, 10, 1)).toBe(10);
    expect(pushSessionVwap(state, 4 * DAY - 1, 20, 3)).toBe(17.5);
    expect(pushSessionVwap(state, 4 * DAY, 30, 1)).toBe(30);
    expect(typicalPrice(12, 6, 9)).toBe(9);
  });
});

describe('indicator states', () => {
  const indicators = {
    sma: { create: () => createSma(5), push: (state: never, x: number) => pushSma(state, x) },
    ema: { create: () => createEma(5), push: (state: never, x: number) => pushEma(state, x) },
    rsi: { create: () => createRsi(5), push: (state: never, x: number) => pushRsi(state, x) },
    macd: { create: () => createMacd(3, 5, 2), push: (state: never, x: number) => pushMacd(state, x) },
    bollinger: { create: () => createBollinger(5), push: (state: never, x: number) => pushBollinger(state, x) },
    atr: { create: () => createAtr(5), push: (state: never, x: number) => pushAtr(state, x * 1.01, x * 0.99, x) },
    vwap: { create: () => createVwap(5), push: (state: never, x: number) => pushVwap(state, x, x % 3) },
  };

  it.each(Object.entries(indicators))(
    '[TRD-1] %s goes on bit for bit from a state that went through JSON',
    (_name, one) => {
      fc.assert(
        fc.property(prices, fc.nat(), (xs, cut) => {
          const whole = one.create() as never;
          let resumed = one.create() as never;
          xs.forEach((x, i) => {
            if (i === cut % xs.length) resumed = JSON.parse(JSON.stringify(resumed)) as never;
            expect(one.push(resumed, x)).toEqual(one.push(whole, x));
          });
        }),
        { numRuns: 50 },
      );
    },
  );

  it('[TRD-1] refuse a period that nothing can be averaged over', () => {
    for (const bad of [0, -1, 1.5, Number.NaN]) expect(() => createSma(bad)).toThrow(/whole number of at least 1/);
    expect(() => createMacd(26, 12)).toThrow(/fast < slow/);
  });
});
