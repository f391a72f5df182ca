import type { PlatformConfig } from '@moon/domain';
import { EmittedVersions, type AnyEvent } from '@moon/events';
import { isTransientStoreError, KafkaConsumer, partitionOf } from '@moon/infra';
import {
  canonicalHash,
  LEAST_PARTITIONS,
  Shard,
  ShardGroup,
  takesOf,
  VenueTimeout,
  VenueUnreachable,
  type GroupPlan,
  type ShardOptions,
  type ShardWiring,
  type Engine,
} from '@moon/kernel';
import type { Connections } from './connections';
import { settingsOf, settingsValues } from './settings-events';

/** What a shard's handlers are wired under, and what its engine makes of what they emit. */
export interface ShardSettings {
  platform: PlatformConfig;
  emitted: EmittedVersions;
}

/** What makes the shards of one group its own. */
export interface ShardSpec extends Pick<
  ShardOptions,
  'onLive' | 'onClose' | 'venue' | 'onVenueSilent' | 'local' | 'highWater'
> {
  /** The settings that it is to work under. */
  platform: PlatformConfig;
  /** @param under its own settings, or those that its journal ends with @throws Error this code cannot be wired under them */
  createEngine: (wiring: ShardWiring, under: ShardSettings) => Engine;
  /** What it takes in first. @param last the settings that it activated last */
  begin: (engine: Engine, last: AnyEvent | null) => Promise<readonly AnyEvent[]>;
}

export interface GroupHostOptions {
  plan: GroupPlan;
  connections: Connections;
  /** @param ownsKey whether a key is of this shard */
  shard: (index: number, ownsKey: (key: string) => boolean) => ShardSpec;
}

/** The shard of a key: its partition in every topic, modulo the number of shards. */
export function shardOfKey(key: string, shards: number): number {
  return partitionOf(key, LEAST_PARTITIONS) % shards;
}

/** Headers of what the platform itself says: which kind of run it is. */
export function headersOf({ config }: Connections): AnyEvent['headers'] {
  return { mode: config.feed.kind === 'synthetic' ? 'synthetic' : 'live' };
}

/** A store or a venue that does not answer will again: the shard is opened once more, and the process lives on. */
const passes = (error: unknown): boolean =>
  isTransientStoreError(error) || error instanceof VenueTimeout || error instanceof VenueUnreachable;

/** A group of this process, with what its consumers say of themselves. */
export interface HostedGroup {
  group: ShardGroup;
  /** Messages between what was delivered and the end, by topic. */
  lag: () => Record<string, number>;
  /** Longest time for which a partition with messages has delivered none, wall ms. */
  standstillMs: () => number;
  /** What keeps it from being brought anything, in one line; null: nothing, or it may be over in a moment. */
  absence: () => string | null;
}

/** Wires one consumer group to the brokers and the store of this process; not started yet. */
export function createGroup(options: GroupHostOptions): HostedGroup {
  const { plan, connections } = options;
  const { config, logger, owner, contracts, emitted } = connections;
  const onProblem = (message: string, context: Record<string, unknown>): void =>
    logger.warn({ group: plan.name, ...context }, message);
  const consumer = new KafkaConsumer({
    settings: config.kafka,
    logger,
    groupId: plan.name,
    contracts,
    topics: plan.keyed,
    shards: config.shards,
  });
  const group = new ShardGroup({
    name: plan.name,
    shards: config.shards,
    consumer,
    keyed: plan.keyed,
    isTransient: passes,
    broadcast: { line: connections.broadcast, topics: plan.broadcast },
    checkpointMs: config.checkpointMs,
    onProblem,
    onBroken: (shard, error, pauseMs) =>
      logger.error({ shard: `${plan.name}#${shard}`, err: error, pauseMs }, 'a shard stands still and is tried again'),
    onRefused: (message) => connections.deadLetters.keep(plan.name, message),
    fill: (partition, from, to) => connections.archive.fill(partition, from, to),
    open: async (index, of) => {
      const ownsKey = (key: string): boolean => shardOfKey(key, config.shards) === index;
      const spec = options.shard(index, ownsKey);
      const name = `${plan.name}#${index}`;
      logger.info({ shard: name, owner }, 'a shard is being opened');
      const startedAt = performance.now();
      const elapsed = (): number => Math.round(performance.now() - startedAt);
      let last: AnyEvent | null = null;
      const own: ShardSettings = { platform: spec.platform, emitted };
      let under = own;
      const shard = await Shard.open({
        ...spec,
        settle: emitted.settle,
        createEngine: (wiring, closesPast) => spec.createEngine(wiring, closesPast ? under : own),
        begin: (engine) => spec.begin(engine, last),
        hasOtherSettings: async () => {
          last = await lastSettings(connections, name);
          under = underWhich(own, last);
          return under !== own;
        },
        heard: new Set([...plan.keyed, ...plan.broadcast]),
        journal: connections.journals.open(name),
        publisher: connections.publisher,
        clock: connections.clock,
        headers: headersOf(connections),
        owner,
        takes: takesOf(plan, ownsKey, name),
        isTransient: isTransientStoreError,
        onRetry: (error, attempt) => {
          onProblem('a journal write failed, trying again', { shard: name, attempt, error: error.message });
          connections.onStore(error);
        },
        onWritten: (_inputs, elapsedMs) => {
          connections.journalWrites.note(elapsedMs);
          connections.metrics.time('moon_store_append_seconds', elapsedMs, { writer: 'journal' });
          connections.onStore(null);
        },
        onProblem,
        ...of,
      });
      const openedMs = elapsed();
      const { toReplay } = shard;
      shard.ready.then(
        () => {
          const { longestWaits } = shard;
          logger.info({ shard: name, toReplay, openedMs, liveMs: elapsed(), longestWaits }, 'a shard is live');
        },
        () => undefined,
      );
      return shard;
    },
  });
  for (const name of ['moon_handler_failures_total', 'moon_dead_letters_total'] as const)
    connections.metrics.begin(name, { group: plan.name });
  return {
    group,
    lag: () => ({ ...consumer.lag(), ...connections.broadcast.lag(plan.broadcast) }),
    standstillMs: () => Math.max(consumer.standstillMs(), connections.broadcastStandstillMs()),
    absence: () => consumer.absence() ?? connections.broadcastAbsence(),
  };
}

async function lastSettings({ log }: Connections, shard: string): Promise<AnyEvent | null> {
  const { rows } = await log.query({
    types: ['config.activated'],
    streamId: `config@${shard}`,
    order: 'newest',
    limit: 1,
  });
  return rows[0]?.event ?? null;
}

/** What the journal was written under last: the settings that are to come, or others, under which it is to be closed first. */
function underWhich(own: ShardSettings, last: AnyEvent | null): ShardSettings {
  if (last?.type !== 'config.activated') return own;
  const { values } = last.data;
  if (canonicalHash(values) === canonicalHash(settingsValues(own))) return own;
  return settingsOf(values);
}
