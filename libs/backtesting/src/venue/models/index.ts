import type { VenueConfig } from '../config';
import { createBarPathModel, type BarPathModel } from './bar-path';
import { createFeeModel, type FeeModel } from './fee';
import { createLatencyModel, type LatencyModel } from './latency';
import { createLiquidationFeeModel, type LiquidationFeeModel } from './liquidation-fee';
import { createLiquidityModel, type LiquidityModel } from './liquidity';
import { createMarketFillModel, type MarketFillModel } from './market-fill';
import { createQueueModel, type QueueModel } from './queue';
import { createSlippageModel, type SlippageModel } from './slippage';

/** The exchangeable parts of the engine; each is pure. */
export interface VenueModels {
  fee: FeeModel;
  slippage: SlippageModel;
  latency: LatencyModel;
  liquidity: LiquidityModel;
  marketFill: MarketFillModel;
  barPath: BarPathModel;
  queue: QueueModel;
  liquidationFee: LiquidationFeeModel;
}

export function createVenueModels(config: VenueConfig): VenueModels {
  return {
    fee: createFeeModel(config.fees),
    slippage: createSlippageModel(config.slippage),
    latency: createLatencyModel(config.latency, config.seed),
    liquidity: createLiquidityModel(config.liquidity),
    marketFill: createMarketFillModel(config.marketFill),
    barPath: createBarPathModel(config.barPath),
    queue: createQueueModel(config.book),
    liquidationFee: createLiquidationFeeModel(config.margin.liquidationFeeBps),
  };
}
