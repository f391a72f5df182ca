import type { VenueConfig } from '../config';
import { createFeeModel, type FeeModel } from './fee';
import { createLatencyModel, type LatencyModel } from './latency';
import { createLiquidityModel, type LiquidityModel } from './liquidity';
import { createMarketFillModel, type MarketFillModel } from './market-fill';
import { createSlippageModel, type SlippageModel } from './slippage';

/** The exchangeable parts of the engine; each is pure. */
export interface VenueModels {
  fee: FeeModel;
  slippage: SlippageModel;
  latency: LatencyModel;
  liquidity: LiquidityModel;
  marketFill: MarketFillModel;
}

export function createVenueModels(config: VenueConfig): VenueModels {
  return {
    fee: createFeeModel(config.fees),
    slippage: createSlippageModel(config.slippage),
    latency: createLatencyModel(config.latency, config.seed),
    liquidity: createLiquidityModel(config.liquidity),
    marketFill: createMarketFillModel(config.marketFill),
  };
}
