import { haltSamples, lagSamples, parkedSamples, sample, shardSamples } from '@moon/infra';
import { executionState, type ParkedPlace, type Shard } from '@moon/kernel';
import type { HostedGroup } from '../group-host';
import type { Part } from '../process';

/** The shards of one consumer group that this process holds. @param portfolios those of the deployment, when the group owns portfolios */
export function groupPart(
  { group, lag, standstillMs, absence }: HostedGroup,
  portfolios: readonly string[] = [],
): Part {
  return {
    name: group.name,
    start: () => group.start(),
    stop: () => group.stop(),
    // Nothing is missing of a group that gave this process nothing: it must have been asked.
    isUp: () => group.isLive && absence() === null && fullKeys(group.shards).length === 0,
    problem: () => {
      const broken = group.broken.map(
        ({ shard, error }) => `shard ${group.name}#${shard} stands still: ${error.message}`,
      );
      const [first, ...more] = [...broken, ...fullKeys(group.shards).map(FULL)];
      if (first === undefined) return absence();
      return `${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}`;
    },
    status: () => ({
      lag: lag(),
      broken: group.broken.map(({ shard, error, attempts }) => {
        return { shard: `${group.name}#${shard}`, error: error.message, attempts };
      }),
      shards: group.shards.map((shard) => ({
        shard: shard.name,
        ...positionOf(shard),
        keys: [...new Set(shard.engine.host.states().map(({ key }) => key))].sort(),
        parked: shard.engine.parking.places(),
      })),
    }),
    metrics: () => {
      const { name } = group;
      const parked = group.shards.flatMap(({ engine }) => engine.parking.places());
      return [
        sample('moon_group_standstill_seconds', standstillMs() / 1_000, { group: name }),
        sample('moon_shards_broken', group.broken.length, { group: name }),
        ...parkedSamples(name, parked),
        ...lagSamples(name, lag()),
        ...group.shards.flatMap((shard) => shardSamples(name, numberOf(shard), positionOf(shard))),
        ...(portfolios.length > 0 ? haltSamples(haltsIn(group.shards, portfolios)) : []),
      ];
    },
  };
}

const positionOf = ({ isLive, engine, log }: Shard) => ({
  isLive,
  seq: engine.lastSeq,
  durableSeq: log.durableSeq,
  publishedSeq: log.publishedSeq,
  backlog: log.backlog,
});

/** `execution#2` is shard 2. */
const numberOf = ({ name }: Shard): string => name.slice(name.lastIndexOf('#') + 1);

const fullKeys = (shards: readonly Shard[]): ParkedPlace[] =>
  shards.flatMap(({ engine }) => engine.parking.places().filter(({ isFull }) => isFull));

const FULL = ({ handler, key, waiting }: ParkedPlace): string =>
  `${handler}/${key} stands still at an event, ${waiting} wait, and market data and opinions are given up`;

/** Halts of each portfolio that lives in these shards. */
function haltsIn(shards: readonly Shard[], portfolios: readonly string[]): (readonly { source: string }[])[] {
  return shards.flatMap(({ engine }) =>
    portfolios.flatMap((name) => {
      const state = executionState(engine, name);
      return state?.portfolio ? [state.portfolio.halts] : [];
    }),
  );
}
