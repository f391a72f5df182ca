import type { GroupPlan } from '@moon/kernel';
import { createGroup, type ShardSpec } from '../group-host';
import type { Part, PartContext } from '../process';
import { groupPart } from './group-part';

/** One consumer group of this process as a part of it. */
export function groupOf(
  context: PartContext,
  plan: GroupPlan,
  shard: (index: number, ownsKey: (key: string) => boolean) => ShardSpec,
): Part {
  const { connections } = context;
  const portfolios = plan.effects === 'venue' ? connections.config.platform.portfolios.map(({ name }) => name) : [];
  return groupPart(createGroup({ plan, connections, shard }), portfolios);
}
