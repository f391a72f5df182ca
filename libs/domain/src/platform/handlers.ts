import { createChartAgent } from '../agents/chart';
import { createCorrelationAgent } from '../agents/correlation';
import { createFundingAgent } from '../agents/funding';
import { createLiquidationAgent } from '../agents/liquidation';
import { createRiskAgent } from '../agents/risk';
import { createSentimentAgent } from '../agents/sentiment';
import { createTradingAgent } from '../agents/trading';
import { createConsensusSaga } from '../consensus';
import { createExecution } from '../execution';
import { createForceCloseSaga } from '../force-close';
import type { Handler } from '../handler';
import { createBarBuilder, createLiquidationNormaliser, createSentimentNormaliser } from '../normalisers';
import { createPortfolioProjection } from '../projections';
import type { PlatformConfig } from './platform-config';

/**
 * The agents that judge markets. They know tokens only and may live in a thread of their own (rule 31).
 * Every runtime wires them by this function; a worker thread calls it with the configuration of the log.
 */
export function createAgents({ agents }: Pick<PlatformConfig, 'agents'>): Handler[] {
  return [
    createTradingAgent(agents.trading),
    createChartAgent(agents.chart),
    createSentimentAgent(agents.sentiment),
    createFundingAgent(agents.funding),
    createLiquidationAgent(agents.liquidation),
    createCorrelationAgent(agents.correlation),
  ];
}

/** What stays on the main thread: normalisers, risk, consensus, execution, force close and the read model. */
export function createDeciders(config: PlatformConfig): Handler[] {
  return [
    createBarBuilder(config.normalisers.bars),
    createLiquidationNormaliser(config.normalisers.liquidations),
    createSentimentNormaliser(config.normalisers.sentiment),
    createExecution(config.execution),
    createRiskAgent(config.agents.risk),
    createForceCloseSaga(config.forceClose),
    createConsensusSaga(config.consensus),
    ...(config.projection.enabled ? [createPortfolioProjection(config.projection)] : []),
  ];
}
