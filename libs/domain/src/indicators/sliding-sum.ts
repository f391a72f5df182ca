/**
 * Sum of the last `period` inputs without ever subtracting. Plain JSON: `suffix[i]` is the sum of the previous block's
 * inputs from i on (its last element is 0), `block` the inputs of the current block, `index` how many they are.
 */
export interface SlidingSum {
  period: number;
  block: number[];
  suffix: number[];
  index: number;
  back: number;
}

export function createSlidingSum(period: number): SlidingSum {
  return { period: wholePeriod(period), block: [], suffix: [], index: 0, back: 0 };
}

/**
 * Adds an input and returns the sum of the last `period` of them, or null until there are that many.
 *
 * O(1) amortised (the suffix sums of a block are formed once, when it is full). A running sum that adds the new and
 * subtracts the old input keeps every rounding error for ever; this sum has the error of summing the window afresh.
 */
export function pushSum(state: SlidingSum, x: number): number | null {
  const { period, block, suffix } = state;
  const at = state.index;
  block[at] = x;
  state.back += x;
  state.index = at + 1;
  const rest = suffix.length === 0 ? null : (suffix[at + 1] as number);
  if (state.index < period) return rest === null ? null : rest + state.back;
  const sum = state.back;
  let total = 0;
  suffix[period] = 0;
  for (let i = period - 1; i >= 0; i -= 1) {
    total += block[i] as number;
    suffix[i] = total;
  }
  state.index = 0;
  state.back = 0;
  return sum;
}

/** Refuses what no indicator can average over. */
export function wholePeriod(period: number): number {
  if (!Number.isSafeInteger(period) || period < 1) {
    throw new RangeError(`An indicator's period must be a whole number of at least 1; it is ${period}.`);
  }
  return period;
}
