import fc from 'fast-check';
import { assignShards, type ShardMember } from './shard-assignment';

const all = (given: Map<string, number[]>): number[] => [...given.values()].flat().sort((a, b) => a - b);
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Rounds until nothing is withheld any more: members let go of what they were not given. */
function settle(shards: number, members: readonly ShardMember[]): { given: Map<string, number[]>; rounds: number } {
  let given = assignShards(shards, members);
  let rounds = 1;
  while (all(given).length < shards && rounds < 5) {
    given = assignShards(
      shards,
      [...given].map(([memberId, held]) => ({ memberId, held })),
    );
    rounds += 1;
  }
  return { given, rounds };
}

describe('assignShards', () => {
  it('gives a lone member everything', () => {
    expect(assignShards(6, [{ memberId: 'a', held: [] }])).toEqual(new Map([['a', range(6)]]));
  });

  it('withholds what must move until its holder has let go, and leaves the rest where it is', () => {
    const first = assignShards(6, [
      { memberId: 'a', held: range(6) },
      { memberId: 'b', held: [] },
    ]);
    expect(first).toEqual(
      new Map([
        ['a', [0, 1, 2]],
        ['b', []],
      ]),
    );
    const second = assignShards(6, [
      { memberId: 'a', held: [0, 1, 2] },
      { memberId: 'b', held: [] },
    ]);
    expect(second.get('a')).toEqual([0, 1, 2]);
    expect(second.get('b')).toEqual([3, 4, 5]);
  });

  it('gives the shards of a member that is gone to the others at once', () => {
    const given = assignShards(6, [{ memberId: 'b', held: [3, 4, 5] }]);
    expect(given.get('b')!.sort()).toEqual(range(6));
  });

  it('hands out no shard that another holds, ends in two rounds, balanced, and moves no more than it must', () => {
    const groups = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }))
      .chain(([shards, count]) =>
        fc.tuple(
          fc.constant(shards),
          fc.constant(count),
          fc.array(fc.integer({ min: -1, max: count - 1 }), { minLength: shards, maxLength: shards }),
        ),
      );
    fc.assert(
      fc.property(groups, ([shards, count, owners]) => {
        const members = range(count).map((index) => ({
          memberId: `m${index}`,
          held: owners.flatMap((owner, shard) => (owner === index ? [shard] : [])),
        }));
        for (const [memberId, shardsGiven] of assignShards(shards, members)) {
          for (const shard of shardsGiven) {
            const owner = owners[shard]!;
            expect(owner === -1 || `m${owner}` === memberId).toBe(true);
          }
        }
        const { given, rounds } = settle(shards, members);
        expect(rounds).toBeLessThanOrEqual(2);
        expect(all(given)).toEqual(range(shards));
        const sizes = [...given.values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        // Whoever held no more than the smaller share keeps all of it.
        for (const { memberId, held } of members) {
          if (held.length <= Math.floor(shards / count))
            expect(given.get(memberId)).toEqual(expect.arrayContaining(held));
        }
      }),
    );
  });
});
