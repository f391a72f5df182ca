import { shardOfKey } from '@moon/cluster';
import type { ClusterView } from '../../cluster/read-log';
import { CommandFailed } from '../../errors';
import { askCluster, untilDone, type Patience } from '../../operator/ask-cluster';
import { GLOBAL, haltsInForce } from '../../store/halts-in-force';
import { portfolioNames } from '../portfolio/read-portfolio';
import { doneSentence, HALT_EFFECT, haltArguments, type HaltDesk } from './desk';

/** Source of the halts that operators raise. */
const OPERATOR = 'operator';

/**
 * Asks the execution shards of a deployment. A global halt is raised, and lifted, by every shard that has a portfolio, each in
 * a stream of its own; it is done when all of them have said so, whoever asked them.
 */
export function clusterDesk(view: ClusterView, patience: Patience): HaltDesk {
  return {
    name: view.run.runId,
    events: view.events,
    ask: async (command, key, reason) => {
      const missing = (): Promise<string[]> => undone(view, command, key, reason);
      const streams = await missing();
      const asked = await askCluster(view, { command, arguments: haltArguments(key, reason) });
      await untilDone(view, asked, { type: HALT_EFFECT[command], missing }, patience);
      const message = `${doneSentence(command, key, reason)} Recorded in ${streams.join(', ')}; asked by ${asked.data.requestedBy} as event ${asked.id}.`;
      return { reason, eventId: asked.id, message };
    },
  };
}

/** The streams in which the halt does not stand as it is wanted to. */
async function undone(
  { config, events }: ClusterView,
  command: 'halt' | 'lift',
  key: string,
  reason: string,
): Promise<string[]> {
  const portfolios = await portfolioNames(events);
  if (portfolios.length === 0) throw new CommandFailed('The deployment has opened no portfolio yet.');
  const shards = new Set(portfolios.map((name) => shardOfKey(name, config.shards)));
  const global = [...shards].sort((a, b) => a - b).map((shard) => `halts-global@execution#${shard}`);
  const all = key === GLOBAL ? global : [`portfolio-${key}`];
  const isRaised = async (streamId: string): Promise<boolean> =>
    (await haltsInForce(events, key, streamId)).some((halt) => halt.source === OPERATOR && halt.reason === reason);
  const raised = await Promise.all(all.map(isRaised));
  return all.filter((_, index) => raised[index] === (command === 'lift'));
}
