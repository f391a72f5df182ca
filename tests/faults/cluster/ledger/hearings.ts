import { shardOfKey, type ClusterConfig } from '@moon/cluster';
import type { AnyEvent } from '@moon/events';
import { groupPlans, takesOf } from '@moon/kernel';
import type { Hearing } from './journal-cover';

/** What every shard of a deployment is to hear, by the same plans that wire it. */
export function hearingsOf({ platform, shards }: Pick<ClusterConfig, 'platform' | 'shards'>): Hearing[] {
  return groupPlans(platform).flatMap((plan) => {
    const broadcast = new Set<string>(plan.broadcast);
    return Array.from({ length: shards }, (_, index): Hearing => {
      const takes = takesOf(plan, (key) => shardOfKey(key, shards) === index);
      return {
        shard: `${plan.name}#${index}`,
        topics: new Set([...plan.keyed, ...plan.broadcast]),
        reads: ({ topic, partition }) => broadcast.has(topic) || partition % shards === index,
        // It looks at type and key only.
        takes: (event) => takes(event as AnyEvent),
      };
    });
  });
}
