import { wholePeriod } from './sliding-sum';

export interface EmaState {
  period: number;
  /** 'sma': the mean of the first `period` inputs (LEAN, TradingView, TA-Lib); 'first': the first input (Tulip). */
  seed: 'sma' | 'first';
  count: number;
  /** The seed's running sum until it is complete, then the average. */
  value: number;
}

/** @param period smoothing period: each input weighs 2 / (period + 1). */
export function createEma(period: number, seed: EmaState['seed'] = 'sma'): EmaState {
  return { period: wholePeriod(period), seed, count: 0, value: 0 };
}

/**
 * Exponential moving average, `value += (x − value) · 2 / (period + 1)`. Seeded by 'sma' it is null until `period`
 * inputs; seeded by 'first' it answers from the first input. O(1), one multiplication.
 */
export function pushEma(state: EmaState, x: number): number | null {
  const { period, count } = state;
  state.count = count + 1;
  if (state.seed === 'first' ? count > 0 : count >= period) {
    state.value += ((x - state.value) * 2) / (period + 1);
    return state.value;
  }
  if (state.seed === 'first') return (state.value = x);
  state.value += x;
  if (state.count < period) return null;
  return (state.value /= period);
}
