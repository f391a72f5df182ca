import 'reflect-metadata';
import {
  CacheGate,
  chosen,
  executionSpec,
  groupOf,
  headersOf,
  NOT_SEEN,
  plainSpec,
  runClusterApp,
  type CacheSeen,
  type ClusterConfig,
  type Part,
  type PartContext,
} from '@moon/cluster';
import { RedisProjectionCache, sample } from '@moon/infra';
import { groupPlans, type GroupPlan } from '@moon/kernel';
import { RemotePaperVenue } from './venues/paper/remote-paper-venue';

/** Consensus, and the portfolios with their risk, force close and way to the venue. */
const plansOf = (plans: readonly GroupPlan[]): GroupPlan[] =>
  plans.filter(({ name }) => name === 'consensus' || name === 'execution');

/** What this process hosts of them, with the gate that an absent cache closes. */
function parts(context: PartContext): Part[] {
  const { connections, codeVersion } = context;
  const { config, plans } = connections;
  const [host = '127.0.0.1', port = ''] = config.venue.address.split(':');
  const venue = new RemotePaperVenue({ host, port: Number(port) });
  const gate = config.cache === 'redis' ? gateOf(connections) : null;
  const groups = chosen(plansOf(plans), config.only).map((plan) => {
    const spec = { plan, connections, codeVersion };
    return groupOf(context, plan, (index, ownsKey) =>
      plan.effects === 'venue' ? executionSpec(spec, index, { venue, gate, ownsKey }) : plainSpec(spec, index),
    );
  });
  return gate ? [gatePart(gate), ...groups] : groups;
}

function gateOf(connections: PartContext['connections']): CacheGate {
  const { config, logger } = connections;
  const onError = (error: Error): void => logger.debug({ err: error }, 'a connection to the cache broke');
  return new CacheGate(RedisProjectionCache.open(config.redis, { onError }), logger, headersOf(connections));
}

/** Stopped after the groups, which leave it as they let go of their shards. */
function gatePart(gate: CacheGate): Part {
  const seen = (): CacheSeen => gate.seen ?? NOT_SEEN;
  return {
    name: 'cache-gate',
    start: () => Promise.resolve(),
    stop: () => gate.close(),
    isUp: () => true,
    cache: seen,
    status: () => ({ cache: seen().isUp ? 'up' : `down: ${seen().detail}` }),
    metrics: () => [sample('moon_cache_up', seen().isUp)],
  };
}

const hosts = ({ platform }: ClusterConfig): GroupPlan[] => plansOf(groupPlans(platform));

void runClusterApp({ name: 'execution', hosts, parts }, process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(code), 3_000).unref();
});
