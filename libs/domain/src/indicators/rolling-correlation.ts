/** What is known of a set of pairs: count, means, and sums of squared deviations and of their products. */
interface Moments {
  n: number;
  meanX: number;
  meanY: number;
  sxx: number;
  syy: number;
  sxy: number;
}

/**
 * Plain JSON, a queue made of two stacks: `front` (its last element the oldest pair) holds with each pair the moments of
 * it and all later pairs of the stack; `back` holds the newer pairs, `moments` describes them.
 */
export interface RollingCorrelationState {
  windowMs: number;
  front: (Pair & { moments: Moments })[];
  back: Pair[];
  moments: Moments;
}

export interface Pair {
  /** Epoch ms. */
  at: number;
  x: number;
  y: number;
}

/** @param windowMs a pair stamped `at` counts while now is in [at, at + windowMs). */
export function createRollingCorrelation(windowMs: number): RollingCorrelationState {
  if (!(windowMs > 0)) throw new RangeError(`A correlation's window must be longer than 0 ms; it is ${windowMs}.`);
  return { windowMs, front: [], back: [], moments: nothing() };
}

/**
 * Adds the pair (x, y) at `at` (epoch ms, never before the previous one) and drops what has left the window.
 * O(1) amortised: each pair is pushed once, moved once, dropped once. Nothing is ever subtracted from a sum, so a long
 * run has the rounding error of computing its window afresh.
 */
export function pushPair(state: RollingCorrelationState, at: number, x: number, y: number): void {
  state.back.push({ at, x, y });
  state.moments = plus(state.moments, x, y);
  dropBefore(state, at);
}

/** Drops the pairs that are outside the window at `now` (epoch ms). */
export function dropBefore(state: RollingCorrelationState, now: number): void {
  for (;;) {
    if (state.front.length === 0) turn(state);
    const oldest = state.front[state.front.length - 1];
    if (oldest === undefined || oldest.at > now - state.windowMs) return;
    state.front.pop();
  }
}

/** Number of pairs in the window. */
export function pairCount(state: RollingCorrelationState): number {
  return state.front.length + state.back.length;
}

/** The oldest and the newest pair in the window (the same one when it is alone); null when there is none. */
export function windowEnds(state: RollingCorrelationState): { oldest: Pair; newest: Pair } | null {
  const oldest = state.front[state.front.length - 1] ?? state.back[0];
  const newest = state.back[state.back.length - 1] ?? state.front[0];
  return oldest === undefined || newest === undefined ? null : { oldest, newest };
}

/**
 * Pearson's coefficient of the pairs in the window, −1…1; null when there are fewer than two or one side has not moved
 * (a correlation with a constant does not exist).
 */
export function pearson(state: RollingCorrelationState): number | null {
  const all = joined(state);
  const spread = Math.sqrt(all.sxx) * Math.sqrt(all.syy);
  if (all.n < 2 || !(spread > 0)) return null;
  return Math.max(-1, Math.min(1, all.sxy / spread));
}

function turn(state: RollingCorrelationState): void {
  let moments = nothing();
  for (let pair = state.back.pop(); pair !== undefined; pair = state.back.pop()) {
    moments = plus(moments, pair.x, pair.y);
    state.front.push({ ...pair, moments });
  }
  state.moments = nothing();
}

function nothing(): Moments {
  return { n: 0, meanX: 0, meanY: 0, sxx: 0, syy: 0, sxy: 0 };
}

/** Welford's update for two variables. */
function plus(m: Moments, x: number, y: number): Moments {
  const n = m.n + 1;
  const dx = x - m.meanX;
  const dy = y - m.meanY;
  const meanX = m.meanX + dx / n;
  const meanY = m.meanY + dy / n;
  return {
    n,
    meanX,
    meanY,
    sxx: m.sxx + dx * (x - meanX),
    syy: m.syy + dy * (y - meanY),
    sxy: m.sxy + dx * (y - meanY),
  };
}

/** Moments of both stacks together (Chan, Golub, LeVeque 1979). */
function joined(state: RollingCorrelationState): Moments {
  const a = state.front[state.front.length - 1]?.moments ?? nothing();
  const b = state.moments;
  const n = a.n + b.n;
  if (a.n === 0 || b.n === 0) return a.n === 0 ? b : a;
  const dx = b.meanX - a.meanX;
  const dy = b.meanY - a.meanY;
  const weight = (a.n * b.n) / n;
  return {
    n,
    meanX: a.meanX + (dx * b.n) / n,
    meanY: a.meanY + (dy * b.n) / n,
    sxx: a.sxx + b.sxx + dx * dx * weight,
    syy: a.syy + b.syy + dy * dy * weight,
    sxy: a.sxy + b.sxy + dx * dy * weight,
  };
}
