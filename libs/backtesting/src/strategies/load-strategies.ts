import { basename, extname, resolve } from 'node:path';
import { SWITCHABLE_AGENTS, voterOf, type Handler, type PlatformConfig } from '@moon/domain';
import { loadAgents, UserAgentError, type LoadedAgents, type StrategyRecord } from '@moon/kernel';
import type { StrategyConfig } from './config';

/** A strategy that is ready to run: its handlers, and what it is known by. */
export interface Strategy {
  /** Name under which it votes. */
  name: string;
  path: string;
  weight: number;
  handlers: readonly Handler[];
  record: StrategyRecord;
  /** Where in its files an error was thrown, e.g. `sma.ts:12`. */
  placeOf?: LoadedAgents['placeOf'];
}

/** As a person writes it in a configuration: only the path is needed. */
export type StrategyEntry = Pick<StrategyConfig, 'path'> & Partial<StrategyConfig>;

const OWN = [
  ...SWITCHABLE_AGENTS.map((agent) => ({ agent, voter: voterOf(agent) })),
  { agent: 'agent/risk', voter: 'risk_agent' },
];

/**
 * Loads the strategies of a configuration, in its order; each afresh, so that two runs in one process share nothing of them.
 * This is what `moon backtest` calls to find mistakes before it starts, and what the thread of a replay calls to run them.
 *
 * @param folder what relative paths start from: the folder of the configuration
 * @throws UserAgentError in one sentence that names the path and what is expected
 */
export function loadStrategies(entries: readonly StrategyEntry[], folder: string): Strategy[] {
  const strategies: Strategy[] = [];
  for (const entry of entries) {
    const path = resolve(folder, entry.path);
    const name = entry.name ?? basename(path, extname(path));
    const config = entry.config ?? {};
    const taken = OWN.some(({ voter }) => voter === name) || strategies.some((other) => other.name === name);
    if (taken) throw new UserAgentError(`Agent ${path}: the name "${name}" is taken; give it another "name".`);
    const { handlers, sha256, placeOf } = loadAgents({ path, name, config, isConfined: true });
    const strategy = { name, path, weight: entry.weight ?? 1, handlers, record: { name, sha256, config }, placeOf };
    refuseTakenHandlers(strategy, strategies);
    strategies.push(strategy);
  }
  return strategies;
}

function refuseTakenHandlers(strategy: Strategy, others: readonly Strategy[]): void {
  const taken = new Set([...OWN.map(({ agent }) => agent), ...others.flatMap(handlerNames)]);
  for (const name of handlerNames(strategy)) {
    if (taken.has(name))
      throw new UserAgentError(
        `Agent ${strategy.path}: its handler "${name}" has the name of another one; make it of the name that createAgents is given, e.g. \`agent/\${name}\`.`,
      );
    taken.add(name);
  }
}

function handlerNames({ handlers }: Strategy): string[] {
  return handlers.map(({ name }) => name);
}

/** The configuration with the strategies among the voters; a strategy that stands there already keeps its place and takes the given weight. */
export function withVoters(
  platform: PlatformConfig,
  strategies: readonly Pick<Strategy, 'name' | 'weight'>[],
): PlatformConfig {
  const own = platform.consensus.voters.filter(({ agent }) => !strategies.some(({ name }) => name === agent));
  const voters = [...own, ...strategies.map(({ name, weight }) => ({ agent: name, weight }))];
  return { ...platform, consensus: { ...platform.consensus, voters } };
}
