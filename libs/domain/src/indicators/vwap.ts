import { createSlidingSum, pushSum, type SlidingSum } from './sliding-sum';

export interface VwapState {
  product: SlidingSum;
  volume: SlidingSum;
}

/** @param period bars in the window. */
export function createVwap(period: number): VwapState {
  return { product: createSlidingSum(period), volume: createSlidingSum(period) };
}

/**
 * Volume-weighted average price of the last `period` bars: Σ price·volume ÷ Σ volume. Null until `period` bars, and while
 * nothing was traded in them. `price` is what stands for the bar: {@link typicalPrice}, or (O+H+L+C)/4 as LEAN takes. O(1).
 */
export function pushVwap(state: VwapState, price: number, volume: number): number | null {
  const product = pushSum(state.product, price * volume);
  const total = pushSum(state.volume, volume);
  return product !== null && total !== null && total > 0 ? product / total : null;
}

/** Plain JSON: the UTC day (days since the epoch) that the sums belong to. */
export interface SessionVwapState {
  day: number;
  product: number;
  volume: number;
}

export function createSessionVwap(): SessionVwapState {
  return { day: -1, product: 0, volume: 0 };
}

const DAY_MS = 86_400_000;

/**
 * Volume-weighted average price since 00:00 UTC (days are UTC, rule 14). Null while nothing was traded in the session.
 *
 * @param openedAt the bar's opening stamp, epoch ms: the bar 23:59–00:00 belongs to the day it opened in.
 */
export function pushSessionVwap(
  state: SessionVwapState,
  openedAt: number,
  price: number,
  volume: number,
): number | null {
  const day = Math.floor(openedAt / DAY_MS);
  if (day !== state.day) {
    state.day = day;
    state.product = 0;
    state.volume = 0;
  }
  state.product += price * volume;
  state.volume += volume;
  return state.volume > 0 ? state.product / state.volume : null;
}

/** (high + low + close) / 3. */
export function typicalPrice(high: number, low: number, close: number): number {
  return (high + low + close) / 3;
}
