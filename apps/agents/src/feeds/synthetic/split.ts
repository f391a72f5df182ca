import type { MadeTrade } from './made';
import { normal, type Draw } from './random';
import { onGrid, onLots } from './tokens';

const SECOND = 1_000;

/**
 * A second's trade told as several of about the same volume in all, one in each part of the second, on a Brownian bridge from
 * the price before to the trade's own: the market is at the same price at every full second, however many there are.
 *
 * @param before price before the second
 * @param sigmaBps standard deviation of a second's return, basis points
 * @param count how many, 1 to 1,000: so many times of whole ms are different ones
 */
export function splitTrade(
  whole: MadeTrade,
  { before, sigmaBps, count, draw }: { before: number; sigmaBps: number; count: number; draw: Draw },
): MadeTrade[] {
  if (count === 1) return [whole];
  const { instrument } = whole.profile;
  const second = Math.floor(whole.at / SECOND) * SECOND;
  const walk = randomWalk(count, draw);
  const end = walk[count - 1] ?? 0;
  const logReturn = Math.log(whole.price / before);
  let last = before;
  return walk.map((at, index) => {
    const share = (index + 1) / count;
    const bridge = (sigmaBps / 1e4) * (at - share * end);
    const price = index === count - 1 ? whole.price : onGrid(instrument, before * Math.exp(share * logReturn + bridge));
    const from = Math.floor((index * SECOND) / count);
    const made: MadeTrade = {
      profile: whole.profile,
      at: second + from + Math.floor(draw() * Math.floor(SECOND / count)),
      price,
      size: onLots(instrument, (whole.size / count) * Math.exp(0.5 * normal(draw))),
      side: price > last ? 'buy' : price < last ? 'sell' : whole.side,
    };
    last = price;
    return made;
  });
}

/** Sums of `count` normal steps of variance 1 / count each. */
function randomWalk(count: number, draw: Draw): number[] {
  let at = 0;
  return Array.from({ length: count }, () => (at += normal(draw) / Math.sqrt(count)));
}
