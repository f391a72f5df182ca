import type { VenueConfig } from '../config';

/** How much worse than the market a taker is filled. */
export interface SlippageModel {
  /**
   * @param price market price that the order meets
   * @param side the taker's side
   * @param share quantity of the fill ÷ traded volume of the observation, 0 to 1; 1 when no volume is known
   * @returns the price after slippage, before the venue's price rule
   */
  price(price: number, side: 'buy' | 'sell', share: number): number;
}

/**
 * price × (1 ± (bps ÷ 10,000 + impact × share²)), plus for a buy. The second part is the volume-share slippage of
 * Zipline (`VolumeShareSlippage`: price_impact × volume_share², there with 0.1 as the usual impact).
 */
export function createSlippageModel(config: VenueConfig['slippage']): SlippageModel {
  const fixed = config.bps / 10_000;
  return {
    price(price, side, share) {
      const part = fixed + config.impact * share * share;
      if (part === 0) return price;
      return side === 'buy' ? price * (1 + part) : price * Math.max(0, 1 - part);
    },
  };
}
