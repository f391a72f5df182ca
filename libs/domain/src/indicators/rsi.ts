import { createWilder, pushWilder, type WilderState } from './wilder';

export interface RsiState {
  previous: number | null;
  gain: WilderState;
  loss: WilderState;
}

/** @param period Wilder's smoothing period, usually 14. */
export function createRsi(period = 14): RsiState {
  return { previous: null, gain: createWilder(period), loss: createWilder(period) };
}

/**
 * Relative strength index after Wilder, 0…100: `100 · (gain / (gain + loss))` of the smoothed gains and losses, which is
 * 100 − 100 / (1 + gain / loss) without its division by zero. Null until `period` changes, that is period + 1 inputs.
 * A market that has not moved at all is neither strong nor weak: 50. O(1).
 */
export function pushRsi(state: RsiState, x: number): number | null {
  const previous = state.previous;
  state.previous = x;
  if (previous === null) return null;
  const change = x - previous;
  const gain = pushWilder(state.gain, change > 0 ? change : 0);
  const loss = pushWilder(state.loss, change < 0 ? -change : 0);
  if (gain === null || loss === null) return null;
  return gain + loss === 0 ? 50 : 100 * (gain / (gain + loss));
}
