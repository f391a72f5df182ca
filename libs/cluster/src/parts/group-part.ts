import type { ShardGroup } from '@moon/kernel';
import type { Part } from '../process';

/** The shards of one consumer group that this process holds. */
export function groupPart(group: ShardGroup, lag: () => object): Part {
  return {
    name: group.name,
    start: () => group.start(),
    stop: () => group.stop(),
    isUp: () => group.isLive,
    problem: () => {
      const [first, ...more] = group.broken;
      if (!first) return null;
      const others = more.length > 0 ? ` (and ${more.length} more)` : '';
      return `shard ${group.name}#${first.shard} stands still${others}: ${first.error.message}`;
    },
    status: () => ({
      lag: lag(),
      broken: group.broken.map(({ shard, error, attempts }) => {
        return { shard: `${group.name}#${shard}`, error: error.message, attempts };
      }),
      shards: group.shards.map((shard) => ({
        shard: shard.name,
        isLive: shard.isLive,
        seq: shard.engine.lastSeq,
        durableSeq: shard.log.durableSeq,
        publishedSeq: shard.log.publishedSeq,
        backlog: shard.log.backlog,
        keys: [...new Set(shard.engine.host.states().map(({ key }) => key))].sort(),
        parked: shard.engine.parking.list().map(({ handler, key, eventId }) => ({ handler, key, eventId })),
      })),
    }),
  };
}
