import { Type, type Static } from '@sinclair/typebox';
import { chartAgentConfigSchema } from '../agents/chart';
import { correlationAgentConfigSchema } from '../agents/correlation';
import { fundingAgentConfigSchema } from '../agents/funding';
import { liquidationAgentConfigSchema } from '../agents/liquidation';
import { riskAgentConfigSchema } from '../agents/risk';
import { sentimentAgentConfigSchema } from '../agents/sentiment';
import { tradingAgentConfigSchema } from '../agents/trading';
import { consensusConfigSchema } from '../consensus';
import { executionConfigSchema } from '../execution';
import { forceCloseConfigSchema } from '../force-close';
import {
  barBuilderConfigSchema,
  liquidationNormaliserConfigSchema,
  sentimentNormaliserConfigSchema,
} from '../normalisers';
import { portfolioProjectionConfigSchema } from '../projections';
import { portfolioSettingsSchema } from './portfolio-settings';
import { SWITCHABLE } from './switchable';

const whole = { additionalProperties: false, default: {} } as const;

/** Everything that decides what the platform does with its inputs: the values of `config.activated` (rule 8). */
export const platformConfigSchema = Type.Object(
  {
    portfolios: Type.Array(portfolioSettingsSchema, {
      default: [{ name: 'main' }],
      minItems: 1,
      description: 'Portfolios of this run.',
    }),
    agents: Type.Object(
      {
        risk: { ...riskAgentConfigSchema, default: {} },
        trading: { ...tradingAgentConfigSchema, default: {} },
        chart: { ...chartAgentConfigSchema, default: {} },
        sentiment: { ...sentimentAgentConfigSchema, default: {} },
        funding: { ...fundingAgentConfigSchema, default: {} },
        liquidation: { ...liquidationAgentConfigSchema, default: {} },
        correlation: { ...correlationAgentConfigSchema, default: {} },
      },
      whole,
    ),
    switchedOff: Type.Array(Type.Union(SWITCHABLE.map((name) => Type.Literal(name))), {
      default: [],
      uniqueItems: true,
      description: 'Agents and normalisers that take no part: they hear nothing, say nothing and have no vote.',
    }),
    normalisers: Type.Object(
      {
        bars: { ...barBuilderConfigSchema, default: {} },
        liquidations: { ...liquidationNormaliserConfigSchema, default: {} },
        sentiment: { ...sentimentNormaliserConfigSchema, default: {} },
      },
      whole,
    ),
    consensus: { ...consensusConfigSchema, default: {} },
    execution: { ...executionConfigSchema, default: {} },
    forceClose: { ...forceCloseConfigSchema, default: {} },
    projection: { ...portfolioProjectionConfigSchema, default: {} },
  },
  { additionalProperties: false },
);
export type PlatformConfig = Static<typeof platformConfigSchema>;
