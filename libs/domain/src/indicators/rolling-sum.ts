/**
 * Sum over a sliding time window without ever subtracting. Plain JSON, a queue of two stacks: `front` (its last element the
 * oldest) holds with each stamp the sum of it and all later values of the stack; `back` holds the newer values.
 */
export interface RollingSum {
  windowMs: number;
  front: { at: number; total: number }[];
  back: { at: number; value: number }[];
  backTotal: number;
}

/** @param windowMs a value stamped `at` counts while now is in [at, at + windowMs). */
export function createRollingSum(windowMs: number): RollingSum {
  if (!(windowMs > 0)) throw new RangeError(`A window must be longer than 0 ms; it is ${windowMs}.`);
  return { windowMs, front: [], back: [], backTotal: 0 };
}

/**
 * Adds `value` at `at` (epoch ms, never before the previous one) and returns the sum over (at − windowMs, at].
 * O(1) amortised. Values of one instant share a place, so memory is bounded by the milliseconds of the window.
 */
export function addToSum(state: RollingSum, at: number, value: number): number {
  const newest = state.back[state.back.length - 1];
  if (newest !== undefined && newest.at === at) newest.value += value;
  else state.back.push({ at, value });
  state.backTotal += value;
  return sumAt(state, at);
}

/** Sum over (now − windowMs, now]; drops what has left the window. */
export function sumAt(state: RollingSum, now: number): number {
  for (;;) {
    if (state.front.length === 0) turn(state);
    const oldest = state.front[state.front.length - 1];
    if (oldest === undefined) return 0;
    if (oldest.at > now - state.windowMs) return oldest.total + state.backTotal;
    state.front.pop();
  }
}

function turn(state: RollingSum): void {
  let total = 0;
  for (let one = state.back.pop(); one !== undefined; one = state.back.pop()) {
    total += one.value;
    state.front.push({ at: one.at, total });
  }
  state.backTotal = 0;
}
