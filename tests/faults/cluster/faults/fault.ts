import type { Rig } from '../rig';

/** Numbers from 0 to 1, the same for the same seed. */
export type Random = () => number;

export interface Blow {
  rig: Rig;
  random: Random;
  /** What happens from now on is recovered from anew, e.g. the thaw of what was frozen. */
  next: () => void;
  /** The end of what was to be an outage: recovery counts from here. */
  healed: () => void;
}

/** A rig of its own: clients behind Toxiproxy, the store on a small disk, a cache, or room for little more than one order. */
export type Need = 'proxy' | 'disk' | 'cache' | 'limit';

/** One thing that goes wrong, and is mended again where it does not mend itself. */
export interface Fault {
  name: string;
  /** What it does, for --list. */
  about: string;
  /** Repeats without --repeats. */
  repeats: number;
  needs?: Need;
  run(blow: Blow): Promise<void>;
}

/** A whole number from `least` to `most`. */
export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));
