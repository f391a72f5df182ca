import { wholePeriod } from './sliding-sum';

/**
 * Plain JSON, two blocks as in SlidingSum: `means[i]`, `squares[i]` are mean and sum of squared deviations of the previous
 * block's inputs from i on; `mean`, `m2` those of the current block.
 */
export interface BollingerState {
  period: number;
  width: number;
  block: number[];
  means: number[];
  squares: number[];
  index: number;
  mean: number;
  m2: number;
}

/** Bands in the unit of the input; `bandwidth` in percent of the middle, `percentB` 0 at the lower and 1 at the upper band. */
export interface Bollinger {
  middle: number;
  upper: number;
  lower: number;
  bandwidth: number;
  percentB: number;
}

/** @param width distance of the bands in standard deviations. */
export function createBollinger(period = 20, width = 2): BollingerState {
  return { period: wholePeriod(period), width, block: [], means: [], squares: [], index: 0, mean: 0, m2: 0 };
}

/**
 * Bollinger bands: mean ± width · population standard deviation (divisor n, as Bollinger, LEAN and Tulip define it) of
 * the last `period` inputs; null until there are that many. On a flat market `percentB` is 0.5.
 *
 * O(1) amortised and stable: deviations are accumulated by Welford's method and the two blocks joined by Chan's formula,
 * so nothing is subtracted from a sum. Σx² − (Σx)²/n loses every digit on prices like 100000.01.
 */
export function pushBollinger(state: BollingerState, x: number): Bollinger | null {
  const { period, block, means } = state;
  const at = state.index;
  block[at] = x;
  state.index = at + 1;
  const delta = x - state.mean;
  state.mean += delta / state.index;
  state.m2 += delta * (x - state.mean);
  if (state.index === period) {
    const result = bands(state, state.mean, state.m2, x);
    turn(state);
    return result;
  }
  if (means.length === 0) return null;
  const older = period - state.index;
  const olderMean = means[state.index] as number;
  const gap = state.mean - olderMean;
  const mean = olderMean + (gap * state.index) / period;
  const m2 = (state.squares[state.index] as number) + state.m2 + (gap * gap * older * state.index) / period;
  return bands(state, mean, m2, x);
}

/** The current block is full: it becomes the previous one, described from each of its inputs to its end. */
function turn(state: BollingerState): void {
  let mean = 0;
  let m2 = 0;
  for (let i = state.period - 1, n = 1; i >= 0; i -= 1, n += 1) {
    const x = state.block[i] as number;
    const delta = x - mean;
    mean += delta / n;
    m2 += delta * (x - mean);
    state.means[i] = mean;
    state.squares[i] = m2;
  }
  state.index = 0;
  state.mean = 0;
  state.m2 = 0;
}

function bands(state: BollingerState, middle: number, m2: number, x: number): Bollinger {
  const half = state.width * Math.sqrt(m2 / state.period);
  const upper = middle + half;
  const lower = middle - half;
  return {
    middle,
    upper,
    lower,
    bandwidth: (200 * half) / middle,
    percentB: half === 0 ? 0.5 : (x - lower) / (2 * half),
  };
}
