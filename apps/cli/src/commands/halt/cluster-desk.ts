import { shardOfKey } from '@moon/cluster';
import type { ClusterView } from '../../cluster/read-log';
import { CommandFailed } from '../../errors';
import { askCluster, untilDone, type Patience } from '../../operator/ask-cluster';
import { GLOBAL, globalHaltsOf, haltsInForce, type HaltInForce } from '../../store/halts-in-force';
import { portfolioNames } from '../portfolio/read-portfolio';
import { doneSentence, HALT_EFFECT, haltArguments, OPERATOR, type HaltDesk } from './desk';

/**
 * Asks the execution shards of a deployment. A global halt is raised, and lifted, by every shard that has a portfolio, each in
 * a stream of its own; it is done when all of them have said so, whoever asked them.
 */
export function clusterDesk(view: ClusterView, patience: Patience): HaltDesk {
  return {
    name: view.run.runId,
    events: view.events,
    halts: (key) => haltsOf(view, key),
    stands: async (key, reason) => (await undone(view, 'halt', key, reason)).length === 0,
    ask: async (command, key, reason) => {
      const missing = (): Promise<string[]> => undone(view, command, key, reason);
      const streams = await missing();
      // Somebody else was quicker.
      if (streams.length === 0) return { reason, message: doneSentence(command, key, reason) };
      const asked = await askCluster(view, { command, arguments: haltArguments(key, reason) });
      await untilDone(view, asked, { type: HALT_EFFECT[command], missing }, patience);
      const message = `${doneSentence(command, key, reason)} Recorded in ${streams.join(', ')}; asked by ${asked.data.requestedBy} as event ${asked.id}.`;
      return { reason, eventId: asked.id, message };
    },
  };
}

/** The streams that a scope's halts are in: of a global one there is a stream for every shard that has a portfolio. */
async function streamsOf({ config, events }: Pick<ClusterView, 'config' | 'events'>, key: string): Promise<string[]> {
  const portfolios = await portfolioNames(events);
  if (portfolios.length === 0) throw new CommandFailed('The deployment has opened no portfolio yet.');
  if (key !== GLOBAL) return [`portfolio-${key}`];
  const shards = new Set(portfolios.map((name) => shardOfKey(name, config.shards)));
  return [...shards].sort((a, b) => a - b).map((shard) => globalHaltsOf(`execution#${shard}`));
}

async function haltsOf(view: ClusterView, key: string): Promise<HaltInForce[]> {
  const found = new Map<string, HaltInForce>();
  for (const stream of await streamsOf(view, key)) {
    for (const halt of await haltsInForce(view.events, key, stream)) {
      const identity = JSON.stringify([halt.source, halt.scope, halt.reason]);
      if (!found.has(identity)) found.set(identity, halt);
    }
  }
  return [...found.values()];
}

/** The streams in which the halt does not stand as it is wanted to. */
async function undone(
  { config, events }: Pick<ClusterView, 'config' | 'events'>,
  command: 'halt' | 'lift',
  key: string,
  reason: string,
): Promise<string[]> {
  const all = await streamsOf({ config, events }, key);
  const isRaised = async (streamId: string): Promise<boolean> =>
    (await haltsInForce(events, key, streamId)).some((halt) => halt.source === OPERATOR && halt.reason === reason);
  const raised = await Promise.all(all.map(isRaised));
  return all.filter((_, index) => raised[index] === (command === 'lift'));
}
