import { createSlidingSum, pushSum, type SlidingSum } from './sliding-sum';

export type SmaState = SlidingSum;

/** @param period number of inputs averaged, an integer of at least 1. */
export function createSma(period: number): SmaState {
  return createSlidingSum(period);
}

/** Arithmetic mean of the last `period` inputs, in their unit; null until there are that many. O(1), see {@link pushSum}. */
export function pushSma(state: SmaState, x: number): number | null {
  const sum = pushSum(state, x);
  return sum === null ? null : sum / state.period;
}
