/** Draws numbers in [0, 1), each next one different. */
export type Draw = () => number;

/** What a stream of draws is for; streams of different purposes are independent. */
export const STREAM = { base: 1, plan: 2, shock: 3, trade: 4, liquidation: 5, post: 6, funding: 7, split: 8 } as const;

/**
 * Random numbers that depend on nothing but (seed, purpose, place, which): the same second of the same market is the
 * same whoever asks and in whichever order. That is what lets a run go on after a restart as if it had not stopped.
 *
 * @param place e.g. a second since the epoch, or the number of a cycle
 * @param which e.g. the number of a token
 */
export function drawsAt(seed: number, purpose: number, place: number, which = 0): Draw {
  let state = mix(mix(mix(seed >>> 0) ^ Math.imul(purpose, 0x9e3779b1)) ^ (place >>> 0));
  state = mix(state ^ Math.imul(which + 1, 0x85ebca6b));
  return () => {
    // mulberry32, by Tommy Ettinger (public domain).
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Finaliser of MurmurHash3, 32 bit: every bit of the input reaches every bit of the output. */
function mix(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** Normal, mean 0, variance 1 (Box–Muller; one of the two values). */
export function normal(draw: Draw): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}

/** Normal with fat tails, variance about 1: one draw in ten is twice as wide. */
export function fatNormal(draw: Draw): number {
  return normal(draw) * (draw() < 0.1 ? 2 : 0.82);
}

/** Evenly between two bounds. */
export function between(draw: Draw, low: number, high: number): number {
  return low + (high - low) * draw();
}

/** How many of a rare thing happen where `mean` are expected (Poisson, Knuth's product; for small means). */
export function poisson(draw: Draw, mean: number): number {
  if (mean <= 0) return 0;
  const floor = Math.exp(-mean);
  let count = 0;
  for (let product = draw(); product > floor; product *= draw()) count += 1;
  return count;
}
