/** How finely the window slides: it forgets in steps of a thirtieth of its length. */
const BUCKETS = 30;

/** Highest and lowest price of one instrument over a sliding window; plain JSON. */
export interface MoveWindow {
  bucketMs: number;
  /** Number of the newest bucket: floor(time ÷ bucketMs). */
  newest: number;
  /** Extremes per bucket, oldest first, ending with `newest`; 0 = no price in that bucket. */
  highs: number[];
  lows: number[];
  /** Extremes of all buckets. */
  high: number;
  low: number;
}

export function newMoveWindow(windowMs: number): MoveWindow {
  return { bucketMs: Math.max(1, Math.ceil(windowMs / BUCKETS)), newest: -1, highs: [], lows: [], high: 0, low: 0 };
}

/**
 * Takes a price at event time `at` (ms) and answers the largest move of the window that ends in it, as a fraction:
 * above zero = risen from the lowest price, below zero = fallen from the highest, whichever is larger. O(1) a tick,
 * O(buckets) when a bucket ends.
 */
export function pushMove(window: MoveWindow, at: number, price: number): number {
  extendMove(window, at, price, price);
  const rise = price / window.low - 1;
  const fall = price / window.high - 1;
  return rise >= -fall ? rise : fall;
}

/** Takes the extremes of a bar that ended at `at`, before its close is pushed. */
export function extendMove(window: MoveWindow, at: number, high: number, low: number): void {
  const bucket = Math.max(Math.floor(at / window.bucketMs), window.newest);
  if (bucket !== window.newest) slide(window, bucket);
  const last = window.highs.length - 1;
  const oldHigh = window.highs[last];
  const oldLow = window.lows[last];
  if (oldHigh === undefined || high > oldHigh) window.highs[last] = high;
  if (oldLow === undefined || oldLow === 0 || low < oldLow) window.lows[last] = low;
  if (window.high === 0 || high > window.high) window.high = high;
  if (window.low === 0 || low < window.low) window.low = low;
}

function slide(window: MoveWindow, bucket: number): void {
  const { highs, lows } = window;
  const steps = window.newest < 0 ? BUCKETS : Math.min(bucket - window.newest, BUCKETS);
  window.newest = bucket;
  while (highs.length < BUCKETS) {
    highs.push(0);
    lows.push(0);
  }
  const kept = BUCKETS - steps;
  let highest = 0;
  let lowest = 0;
  for (let index = 0; index < kept; index++) {
    const high = highs[index + steps] as number;
    const low = lows[index + steps] as number;
    highs[index] = high;
    lows[index] = low;
    if (high > highest) highest = high;
    if (low !== 0 && (lowest === 0 || low < lowest)) lowest = low;
  }
  for (let index = kept; index < BUCKETS; index++) {
    highs[index] = 0;
    lows[index] = 0;
  }
  window.high = highest;
  window.low = lowest;
}
