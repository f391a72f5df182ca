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
import { SWITCHABLE_AGENTS, voterOf, type Switchable } from './switchable';

type Off = { switchedOff?: readonly Switchable[] };

/**
 * The agents that judge markets, but for those that are switched off. They know tokens only and may live in a thread of
 * their own (rule 31). Every runtime wires them by this function; a worker thread calls it with the configuration of the log.
 */
export function createAgents({ agents, switchedOff = [] }: Pick<PlatformConfig, 'agents'> & Off): Handler[] {
  return [
    createTradingAgent(agents.trading),
    createChartAgent(agents.chart),
    createSentimentAgent(agents.sentiment),
    createFundingAgent(agents.funding),
    createLiquidationAgent(agents.liquidation),
    createCorrelationAgent(agents.correlation),
  ].filter(isOn(switchedOff));
}

/** What stays on the main thread: normalisers, risk, consensus, execution, force close and the read model. */
export function createDeciders(config: PlatformConfig): Handler[] {
  const { switchedOff = [] } = config as Off;
  const silent: readonly string[] = SWITCHABLE_AGENTS.filter((name) => switchedOff.includes(name)).map(voterOf);
  const voters = config.consensus.voters.filter(({ agent }) => !silent.includes(agent));
  return [
    createBarBuilder(config.normalisers.bars),
    createLiquidationNormaliser(config.normalisers.liquidations),
    createSentimentNormaliser(config.normalisers.sentiment),
    createExecution(config.execution),
    createRiskAgent(config.agents.risk),
    createForceCloseSaga(config.forceClose),
    createConsensusSaga({ ...config.consensus, voters }),
    ...(config.projection.enabled ? [createPortfolioProjection(config.projection)] : []),
  ].filter(isOn(switchedOff));
}

function isOn(switchedOff: readonly string[]): (handler: Handler) => boolean {
  return ({ name }) => !switchedOff.includes(name);
}
