import type { VenueConfig } from '../config';

/** When an order that takes from the market meets it. */
export interface MarketFillModel {
  /** True: not at arrival, but at the next observation of a price that it could trade at. */
  readonly waitsForNext: boolean;
}

/**
 * `last`: the market is the last one known when the order arrives. `next`: nothing is known of the price an order will
 * meet until the market moves again; the usual convention of backtests on bars (a signal at the close is filled at the
 * next open).
 */
export function createMarketFillModel(marketFill: VenueConfig['marketFill']): MarketFillModel {
  return { waitsForNext: marketFill === 'next' };
}
