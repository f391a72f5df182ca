import type { VenueConfig } from '../config';

/** How much of an order the market takes at one observation. */
export interface LiquidityModel {
  /** False: every order is filled whole. */
  readonly isLimited: boolean;
  /**
   * @param volume base quantity that was traded in the observation (a trade's size, a bar's volume)
   * @returns base quantity that one account may take of it
   */
  available(volume: number): number;
}

/**
 * A share of the traded volume. Each observation with a volume brings its own allowance, for each account on its own
 * (portfolios do not compete for it), and what is not used is gone. A bar's opening has no volume yet: it is judged on
 * that of the bar before, so that nothing of the future is used.
 */
export function createLiquidityModel(config: VenueConfig['liquidity']): LiquidityModel {
  const { participation } = config;
  if (participation === null) return { isLimited: false, available: () => Number.POSITIVE_INFINITY };
  return { isLimited: true, available: (volume) => volume * participation };
}
