import type { VenueConfig } from '../config';

export interface BarPrices {
  open: number;
  high: number;
  low: number;
  close: number;
}

/** In which order the prices of a bar came. A bar says nothing of it, so every answer is a convention. */
export interface BarPathModel {
  /** True: its high comes before its low. null: nothing is supposed, what is worse for the account comes first. */
  highFirst(bar: BarPrices): boolean | null;
}

/**
 * `adverse`: stop orders first, then take-profits, then limit orders: of two things that the bar may have done, the one
 * that costs. `direction`: open – low – high – close when close ≥ open, else open – high – low – close. `nearest`: the
 * extreme nearer to the open first, as TradingView's broker emulator and NautilusTrader's adaptive ordering suppose.
 * `high-first` and `low-first`: always so. From one of the four prices to the next the market passes every price once;
 * no other price is made up.
 */
export function createBarPathModel(path: VenueConfig['barPath']): BarPathModel {
  switch (path) {
    case 'adverse':
      return { highFirst: () => null };
    case 'direction':
      return { highFirst: (bar) => bar.close < bar.open };
    case 'nearest':
      return { highFirst: (bar) => bar.high - bar.open < bar.open - bar.low };
    case 'high-first':
      return { highFirst: () => true };
    case 'low-first':
      return { highFirst: () => false };
  }
}
