import { shardOfKey } from '@moon/cluster';
import type { StackAddresses } from '../../../scripts/stack/api.cjs';

/** The tokens that the synthetic market knows. */
export const TOKENS = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'HYPE'];
export const SHARDS = 3;
/** Settings under which agents speak up soon, so that a short run trades. */
const EAGER = { minScore: 55, minConfidence: 0.3, minIntervalMs: 60_000 };

/** Names of portfolios, one for each shard of execution. */
export function portfolioNames(): string[] {
  const names: string[] = [];
  for (let shard = 0; shard < SHARDS; shard += 1) {
    for (let number = 1; names.length === shard; number += 1) {
      const name = `fund-${number}`;
      if (shardOfKey(name, SHARDS) === shard) names.push(name);
    }
  }
  return names;
}

/** What a chain from tick to fill can do without: fewer groups leave a small machine time for the rest. */
const QUIET = ['agent/sentiment', 'agent/funding', 'agent/liquidation', 'agent/correlation'];
const QUIET_NORMALISERS = ['normaliser/liquidations', 'normaliser/sentiment'];

/** Ticks a second from which on two cores that have brokers and clients are full. */
const FULL_FROM = 500;
const SPACING_MS = 40;

/** Settings of clients that share full cores with their brokers: requests are fewer and larger, at the price of some ms a hop. */
export const sparing = (rate: number, spacing = rate >= FULL_FROM ? SPACING_MS : 0): object =>
  spacing === 0 ? {} : { sendIntervalMs: spacing, fetchIntervalMs: spacing };

/** Who takes part, and how. */
export interface PlatformOptions {
  /** Every agent; default: those that a trade needs. */
  allAgents?: boolean;
  /** Wall time between checkpoints, ms; default 2,000: takeovers are what most rigs are for. */
  checkpointMs?: number;
  /** Projections in Redis. */
  cached?: boolean;
  /** Limit of every portfolio, in settlement asset. */
  grossExposure?: number;
  /** Further settings of agents, by their names. */
  agentSettings?: object;
}

/** Settings of every process, less where its servers are. */
export function platformSettings({
  allAgents = false,
  agentSettings = {},
  cached = false,
  checkpointMs = 2_000,
  grossExposure,
}: PlatformOptions = {}): object {
  const instruments = TOKENS.map((token) => ({ instrument: `${token}.HYPERLIQUID`, leverage: 3 }));
  const wide = { drawdown_total: 0.99, drawdown_day: 0.99, orders_per_second: 1_000 };
  const limits = { ...wide, ...(grossExposure !== undefined && { gross_exposure: grossExposure }) };
  return {
    shards: SHARDS,
    checkpointMs,
    logLevel: 'info',
    // Without Redis nothing waits for what nobody reads.
    cache: cached ? 'redis' : 'none',
    feed: { kind: 'synthetic', tokens: TOKENS },
    model: { minMs: 100, maxMs: 300 },
    platform: {
      portfolios: portfolioNames().map((name) => ({
        ...{ name, deposit: '1000000', instruments, limits },
        // Each position has a liquidation price of its own, which prices can come close to.
        marginMode: 'isolated',
      })),
      switchedOff: allAgents ? [] : [...QUIET, ...QUIET_NORMALISERS],
      consensus: { minimumAgents: 1, threshold: 55, cooldownMs: 0 },
      agents: { trading: { opening: EAGER }, chart: { opening: EAGER }, ...agentSettings },
    },
  };
}

/** Where the servers of a stack are. @param kafka further settings of its clients */
export function serverSettings(
  { kafka: brokers, postgres, redis }: StackAddresses,
  { isProxied = false, kafka = {} }: { isProxied?: boolean; kafka?: object } = {},
): object {
  if (!brokers || !postgres) throw new Error('The stack has no Kafka or no PostgreSQL.');
  const hosts = isProxied ? postgres.viaToxiproxy : postgres.hosts;
  return {
    kafka: { brokers: brokers.brokers, portOffset: isProxied ? 200 : 0, ...kafka },
    postgres: {
      hosts: hosts.map(({ host, port }) => `${host}:${port}`),
      patroni: postgres.patroni,
      superuser: postgres.superuser,
      password: postgres.password,
    },
    ...(redis && {
      redis: {
        mode: 'sentinel',
        nodes: redis.sentinels.map(({ host, port }) => `${host}:${port}`),
        primaryName: redis.name,
      },
    }),
  };
}
