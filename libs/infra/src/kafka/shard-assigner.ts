import { setTimeout as pause } from 'node:timers/promises';
import { AssignerProtocol, type Cluster, type PartitionAssigner } from 'kafkajs';
import type { MemberContracts } from './member-contracts';
import { assignShards } from './shard-assignment';

/** What a member tells the leader of its group about itself. */
export interface ShardClaim {
  /** The id under which it was given them: under another one it was expelled meanwhile, and they may be somebody else's. */
  memberId: string | null;
  shards: readonly number[];
  contracts?: MemberContracts;
}

export interface ShardAssignerOptions {
  shards: number;
  /** Asked right before every join. */
  claim: () => ShardClaim;
  /** Whether the member wants to join anew; asked at every fetch, and reset by asking. */
  wantsRejoin: () => boolean;
  /** Fetches begin together, so far apart, ms; 0: at once. */
  fetchIntervalMs: number;
}

/**
 * Shard s gets partition p of every topic where p modulo the number of shards is s, so that what has one key is in one
 * process whatever its topic. The number of shards is part of the protocol's name: brokers refuse members that differ.
 */
export function shardAssigner({
  shards,
  claim,
  wantsRejoin,
  fetchIntervalMs,
}: ShardAssignerOptions): PartitionAssigner {
  const name = `moon-shards-${shards}`;
  return ({ cluster }) => {
    beforeEachFetch(cluster, wantsRejoin, fetchIntervalMs);
    return {
      name,
      version: 1,
      protocol({ topics }) {
        const userData = Buffer.from(JSON.stringify(claim()));
        return { name, metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData }) };
      },
      assign({ members, topics }) {
        const counts = new Map(topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length]));
        for (const [topic, count] of counts) requireMultiple(topic, count, shards);
        const given = assignShards(
          shards,
          members.map(({ memberId, memberMetadata }) => ({ memberId, held: heldBy(memberId, memberMetadata) })),
        );
        const assignments = [...given].map(([memberId, own]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 1,
            assignment: partitionsOf(own, shards, counts),
            userData: Buffer.alloc(0),
          }),
        }));
        return Promise.resolve(assignments);
      },
    };
  };
}

/** @throws Error a topic that cannot be divided so that every shard has the same share of its keys */
export function requireMultiple(topic: string, partitions: number, shards: number): void {
  if (partitions > 0 && partitions % shards === 0) return;
  throw new Error(
    `Topic ${topic} has ${partitions} partitions, which ${shards} shards cannot divide evenly: ` +
      'read it by a broadcast consumer, or choose a number of shards that divides the partitions of every keyed topic.',
  );
}

/** The partitions of some shards, by topic. */
export function partitionsOf(
  own: readonly number[],
  shards: number,
  counts: ReadonlyMap<string, number>,
): Record<string, number[]> {
  const assignment: Record<string, number[]> = {};
  for (const [topic, count] of counts) {
    const partitions: number[] = [];
    for (let partition = 0; partition < count; partition += 1) {
      if (own.includes(partition % shards)) partitions.push(partition);
    }
    if (partitions.length > 0) assignment[topic] = partitions;
  }
  return assignment;
}

function heldBy(memberId: string, metadata: Buffer): readonly number[] {
  const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
  if (decoded === null || decoded.userData.length === 0) return [];
  const claim = JSON.parse(decoded.userData.toString('utf8')) as ShardClaim;
  return claim.memberId === memberId ? claim.shards : [];
}

/**
 * Every fetch of kafkajs starts with a look at the age of the metadata. There it can be held for a moment, and there a member
 * joins again, for which there is no call: as it does when a fetch fails as if the group were rebalancing.
 */
function beforeEachFetch(cluster: Cluster, wantsRejoin: () => boolean, fetchIntervalMs: number): void {
  const refresh = cluster.refreshMetadataIfNecessary.bind(cluster);
  cluster.refreshMetadataIfNecessary = async () => {
    if (fetchIntervalMs > 0) await nextBeat(fetchIntervalMs);
    if (wantsRejoin()) {
      throw Object.assign(new Error('This member lets go of shards.'), { type: 'REBALANCE_IN_PROGRESS' });
    }
    return refresh();
  };
}

/** Resolves at the next multiple of an interval: who waits for it in one process goes on in one turn. */
async function nextBeat(intervalMs: number): Promise<void> {
  const restMs = intervalMs - (performance.now() % intervalMs);
  if (restMs >= 1) await pause(restMs);
}
