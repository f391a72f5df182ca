import { wholePeriod } from './sliding-sum';

/** Wilder's smoothed average: the mean of the first `period` inputs, then `(value · (period − 1) + x) / period`. */
export interface WilderState {
  period: number;
  count: number;
  value: number;
}

export function createWilder(period: number): WilderState {
  return { period: wholePeriod(period), count: 0, value: 0 };
}

/**
 * Null until `period` inputs. O(1). Written without a difference: inputs are non-negative here (gains, losses, ranges), and
 * `value + (x − value) / period` would drown a small one in the rounding of a large one before it. Source: J. W. Wilder, New Concepts in Technical Trading Systems, 1978.
 */
export function pushWilder(state: WilderState, x: number): number | null {
  const { period, count } = state;
  state.count = count + 1;
  if (count >= period) return (state.value = (state.value * (period - 1) + x) / period);
  state.value += x;
  if (state.count < period) return null;
  return (state.value /= period);
}
