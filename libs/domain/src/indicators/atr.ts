import { createWilder, pushWilder, type WilderState } from './wilder';

export interface AtrState {
  previousClose: number | null;
  average: WilderState;
}

export function createAtr(period = 14): AtrState {
  return { previousClose: null, average: createWilder(period) };
}

/**
 * Average true range after Wilder, in price units. True range = max(high, previous close) − min(low, previous close); the
 * first bar has no previous close, so its range is high − low. Null until `period` bars. O(1).
 */
export function pushAtr(state: AtrState, high: number, low: number, close: number): number | null {
  const previous = state.previousClose ?? close;
  state.previousClose = close;
  return pushWilder(state.average, Math.max(high, previous) - Math.min(low, previous));
}
