import { fromNumber, mul, type Decimal, type Instrument } from '@moon/domain';
import type { VenueConfig } from '../config';

/** What a venue charges for a liquidation at market, beside the taker's fee. */
export interface LiquidationFeeModel {
  /** Share of the liquidated value. */
  rate(instrument: Instrument): Decimal;
}

/**
 * In basis points. HyperLiquid charges nothing (docs, trading/liquidations: no clearance fee). Binance names its rate by
 * symbol (`liquidationFee` of its exchange information); here stands what its large USDⓈ-M and COIN-M pairs have.
 */
const BY_VENUE: Readonly<Record<string, number>> = { 'BINANCE-USDM': 125, 'BINANCE-COINM': 150 };

/** fee = value × rate, at most what is left of the margin. The rate is the configuration's, else the venue's. */
export function createLiquidationFeeModel(feeBps: VenueConfig['margin']['liquidationFeeBps']): LiquidationFeeModel {
  return {
    rate({ venue }) {
      const bps = feeBps ?? (Object.hasOwn(BY_VENUE, venue) ? (BY_VENUE[venue] as number) : 0);
      return bps === 0 ? '0' : mul(fromNumber(bps), '0.0001');
    },
  };
}
