import { createEma, pushEma, type EmaState } from './ema';

export interface MacdState {
  fast: EmaState;
  slow: EmaState;
  signal: EmaState;
}

/** All in the unit of the input; `signal` and `histogram` are null until the signal line has its seed. */
export interface Macd {
  macd: number;
  signal: number | null;
  histogram: number | null;
}

/** @param seed how the three averages start: see {@link EmaState}. */
export function createMacd(fast = 12, slow = 26, signal = 9, seed: EmaState['seed'] = 'sma'): MacdState {
  if (fast >= slow) throw new RangeError(`MACD needs fast < slow; they are ${fast} and ${slow}.`);
  return { fast: createEma(fast, seed), slow: createEma(slow, seed), signal: createEma(signal, seed) };
}

/**
 * Moving average convergence/divergence (Appel): EMA(fast) − EMA(slow), its EMA, and the difference of the two. Null
 * until `slow` inputs. The signal line starts with the first MACD value, whatever the seed. O(1).
 */
export function pushMacd(state: MacdState, x: number): Macd | null {
  const fast = pushEma(state.fast, x);
  const slow = pushEma(state.slow, x);
  if (fast === null || slow === null || state.slow.count < state.slow.period) return null;
  const macd = fast - slow;
  const signal = pushEma(state.signal, macd);
  return { macd, signal, histogram: signal === null ? null : macd - signal };
}
