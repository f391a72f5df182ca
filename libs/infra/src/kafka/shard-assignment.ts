/** A member of the group as its leader sees it. */
export interface ShardMember {
  memberId: string;
  /** Shards that it reads now or was about to; empty for one that is new or was expelled meanwhile. */
  held: readonly number[];
}

/**
 * Divides the shards: as evenly as can be, moving as few as can be, and never handing out a shard that another member has
 * not let go of. A shard that must move is withheld from both: its holder lets go and asks for another round, in which it is
 * free. So no shard is ever read by two members of one group, however long the old owner takes to finish.
 */
export function assignShards(shards: number, members: readonly ShardMember[]): Map<string, number[]> {
  const ownerOf = new Map<number, string>();
  const byName = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  for (const { memberId, held } of byName) {
    for (const shard of held) if (shard < shards && !ownerOf.has(shard)) ownerOf.set(shard, memberId);
  }
  const heldBy = (memberId: string): number[] =>
    [...ownerOf]
      .filter(([, owner]) => owner === memberId)
      .map(([shard]) => shard)
      .sort((a, b) => a - b);
  // Who holds most may keep the odd one: fewer shards move.
  const ranked = byName
    .map(({ memberId }) => ({ memberId, held: heldBy(memberId) }))
    .sort((a, b) => b.held.length - a.held.length);
  const [base, odd] = [Math.floor(shards / ranked.length), shards % ranked.length];
  const free = Array.from({ length: shards }, (_, shard) => shard).filter((shard) => !ownerOf.has(shard));
  const given = new Map<string, number[]>();
  for (const [rank, { memberId, held }] of ranked.entries()) {
    const quota = base + (rank < odd ? 1 : 0);
    const kept = held.slice(0, quota);
    given.set(memberId, [...kept, ...free.splice(0, quota - kept.length)]);
  }
  return given;
}
