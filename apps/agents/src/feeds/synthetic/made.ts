import type { TokenProfile } from './tokens';

/** A trade of the made-up market. */
export interface MadeTrade {
  profile: TokenProfile;
  /** Epoch ms. */
  at: number;
  price: number;
  /** In base asset. */
  size: number;
  side: 'buy' | 'sell';
}

/** What somebody says of a token. */
export interface MadePost {
  profile: TokenProfile;
  at: number;
  /** −1 to 1. */
  score: number;
  text: string;
}
