import 'reflect-metadata';
import {
  CacheGate,
  chosen,
  executionSpec,
  groupOf,
  headersOf,
  plainSpec,
  runClusterApp,
  type ClusterConfig,
  type Part,
  type PartContext,
} from '@moon/cluster';
import { sample } from '@moon/infra';
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
  const gate =
    config.cache === 'redis' ? new CacheGate(config.redis, connections.logger, headersOf(connections)) : null;
  const groups = chosen(plansOf(plans), config.only).map((plan) => {
    const spec = { plan, connections, codeVersion };
    return groupOf(context, plan, (index, ownsKey) =>
      plan.effects === 'venue' ? executionSpec(spec, index, { venue, gate, ownsKey }) : plainSpec(spec, index),
    );
  });
  return gate ? [gatePart(gate), ...groups] : groups;
}

/** Stopped after the groups, which leave it as they let go of their shards. */
function gatePart(gate: CacheGate): Part {
  return {
    name: 'cache-gate',
    start: () => Promise.resolve(),
    stop: () => gate.close(),
    isUp: () => true,
    status: () => ({ cache: gate.state }),
    metrics: () => [sample('moon_cache_up', gate.state === 'up')],
  };
}

const hosts = ({ platform }: ClusterConfig): GroupPlan[] => plansOf(groupPlans(platform));

void runClusterApp({ name: 'execution', hosts, parts }, process.argv.slice(2), process.env).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(code), 3_000).unref();
});
