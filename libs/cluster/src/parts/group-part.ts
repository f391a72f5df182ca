import type { ShardGroup } from '@moon/kernel';
import type { Part } from '../process';

/** The shards of one consumer group that this process holds. */
export function groupPart(group: ShardGroup, lag: () => object): Part {
  return {
    name: group.name,
    start: () => group.start(),
    stop: () => group.stop(),
    isUp: () => group.isLive,
    status: () => ({
      lag: lag(),
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
