import { addToSum, createRollingSum, type RollingSum } from '../indicators';
import { num15 } from '../money';

const MINUTE = 60_000;

/**
 * `volume_1m` of `price.tick` (rule 10): the quote volume traded in (t − 60 s, t], for each instrument.
 *
 * The function returned takes a trade's instrument id, its time (epoch ms) and its value in quote currency (price × size in
 * base), and answers the sum with that trade, at most 15 significant digits. A trade stamped before the last one of its
 * instrument counts at the last one's time: sums never look ahead. With value 0 it answers the volume of a tick that is no
 * trade. Feeds keep one for each run; it is state of the edge, not of a handler.
 */
export function minuteQuoteVolume(): (instrument: string, at: number, quote: number) => number {
  const sums = new Map<string, { latest: number; sum: RollingSum }>();
  return (instrument, at, quote) => {
    let known = sums.get(instrument);
    if (known === undefined) sums.set(instrument, (known = { latest: at, sum: createRollingSum(MINUTE) }));
    known.latest = Math.max(known.latest, at);
    return num15(addToSum(known.sum, known.latest, quote));
  };
}
