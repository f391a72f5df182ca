import { Type, type Static } from '@sinclair/typebox';
import { completeConfig, type PartialConfig } from '../agent-kit';

/** Smaller weights would only invite underflow. */
const LEAST_WEIGHT = 1e-6;

const voterSchema = Type.Object(
  {
    agent: Type.String({ minLength: 1, maxLength: 200, description: 'Name of the agent, as in `signal.generated`.' }),
    weight: Type.Number({
      default: 1,
      minimum: 0,
      maximum: 1_000,
      description: `How much its vote weighs beside the others, from ${LEAST_WEIGHT} on. 0 = it is asked and recorded, but decides nothing.`,
    }),
  },
  { additionalProperties: false },
);

/** Who votes on a token, how long, and what it takes for an approval. */
export const consensusConfigSchema = Type.Object(
  {
    voters: Type.Array(voterSchema, {
      default: [
        { agent: 'trading_agent', weight: 1 },
        { agent: 'sentiment_agent', weight: 1 },
        { agent: 'funding_agent', weight: 1 },
        { agent: 'chart_agent', weight: 1 },
      ],
      minItems: 1,
      maxItems: 100,
      description: 'The voting agents and their weights. Signals of other agents neither open a window nor vote.',
    }),
    windowMs: Type.Integer({
      default: 5_000,
      minimum: 1,
      maximum: 3_600_000,
      description: 'How long a window waits for votes, in milliseconds of event time.',
    }),
    threshold: Type.Number({
      default: 70,
      minimum: 50,
      exclusiveMaximum: 100,
      description: 'The score (0–100) that an action must exceed. From 50 on, BUY and SELL cannot both exceed it.',
    }),
    minimumAgents: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 100,
      description: 'How many voters must weigh (weight × confidence above 0) for the action that is approved.',
    }),
    cooldownMs: Type.Integer({
      default: 60_000,
      minimum: 0,
      maximum: 86_400_000,
      description:
        'After an approval no window opens for the token during this time, in milliseconds. 0 = no cool-down.',
    }),
    maxSizeFactor: Type.Number({
      default: 2,
      minimum: 1,
      maximum: 3,
      description: 'The most by which contributing signals may raise the size of what is approved.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Consensus of the voting agents, per token.' },
);
export type ConsensusConfig = Static<typeof consensusConfigSchema>;

/**
 * The whole configuration with defaults.
 *
 * @throws Error that names the key, when a value does not fit the schema, an agent is listed twice, or fewer voters
 *   have a weight than an approval needs.
 */
export function completeConsensusConfig(given: PartialConfig<ConsensusConfig>): ConsensusConfig {
  const config = completeConfig('saga/consensus', consensusConfigSchema, given);
  const names = config.voters.map((voter) => voter.agent);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new Error(`Configuration of saga/consensus: /voters lists "${twice}" twice; list each agent once.`);
  const tiny = config.voters.find((voter) => voter.weight > 0 && voter.weight < LEAST_WEIGHT);
  if (tiny !== undefined)
    throw new Error(
      `Configuration of saga/consensus: /voters gives "${tiny.agent}" the weight ${tiny.weight}; use 0 or at least ${LEAST_WEIGHT}.`,
    );
  const weighing = config.voters.filter((voter) => voter.weight > 0).length;
  if (config.minimumAgents > weighing)
    throw new Error(
      `Configuration of saga/consensus: /minimumAgents is ${config.minimumAgents}, but only ${weighing} voters have ` +
        'a weight above 0, so nothing could ever be approved; lower it or add voters.',
    );
  return config;
}
