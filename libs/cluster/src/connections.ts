import { hostname } from 'node:os';
import type { EmittedVersions } from '@moon/events';
import {
  checkBrokers,
  ClusterLog,
  ensureTopics,
  EventArchive,
  KafkaPublisher,
  ShardJournals,
  topicPlan,
  type MemberContracts,
  type Logger,
  type ProcessMetrics,
  type RecentDurations,
} from '@moon/infra';
import { groupPlans, RunningClock, type Clock, type GroupPlan, type SharedBroadcast } from '@moon/kernel';
import type { ClusterConfig } from './config';
import type { DeadLetters } from './dead-letters';
import { readyStore, type StoreAccess } from './store-access';

/** Groups that read every topic and hold no shard state. */
export const RECORDER_GROUP = 'recorder';
export const PROJECTIONS_GROUP = 'projections';
/** The group whose one shard is the right to run the feed. */
export const FEED_GROUP = 'feed';

/** What a process of the platform is connected to. */
export interface Connections {
  config: ClusterConfig;
  logger: Logger;
  /** Names this process in journals and logs. */
  owner: string;
  clock: Clock;
  plans: readonly GroupPlan[];
  publisher: KafkaPublisher;
  /** Versions at which events leave this process. */
  emitted: EmittedVersions;
  /** What the members of its groups tell the others of the versions that they read and emit. */
  contracts: MemberContracts;
  /** Brings the groups of this process what every shard hears. */
  broadcast: SharedBroadcast;
  access: StoreAccess;
  journals: ShardJournals;
  archive: EventArchive;
  log: ClusterLog;
  deadLetters: DeadLetters;
  /** Told how writes to the event store go: null after one that succeeded, the error of one that is tried again. */
  onStore: (error: Error | null) => void;
  /** What this process serves under `/metrics`. */
  metrics: ProcessMetrics;
  /** Longest time for which what every shard hears has stood still in this process, wall ms. */
  broadcastStandstillMs: () => number;
  /** What keeps this process from hearing what every shard hears, in one line; null: nothing, or it may be over in a moment. */
  broadcastAbsence: () => string | null;
  /** How long the journals of this process took to store their latest batches. */
  journalWrites: RecentDurations;
}

/** Asks the brokers, and makes the catalog's topics what they are to be. @throws KafkaUnavailable */
export async function openBroker(config: ClusterConfig, logger: Logger): Promise<string> {
  await checkBrokers(config.kafka);
  const drift = await ensureTopics(config.kafka, topicPlan(config.kafka, groupNames(config)));
  for (const difference of drift)
    logger[difference.mayStay ? 'info' : 'warn'](difference, 'a topic is not what the catalog says');
  return `${config.kafka.brokers.join(', ')}; ${drift.length} differences to the catalog`;
}

/** Sees to it that the database is what this version needs, and opens what writes and reads it. @throws Error that names the server */
export async function openStore(
  config: ClusterConfig,
  logger: Logger,
  { wire }: Pick<EmittedVersions, 'wire'>,
): Promise<Pick<Connections, 'access' | 'journals' | 'archive' | 'log'>> {
  const { database } = config.postgres;
  const { access, newer } = await readyStore(config);
  if (newer.length > 0) logger.info({ newer }, 'a newer version has prepared the store');
  const onError = (error: Error): void => logger.warn({ err: error }, 'a connection to the event store broke');
  const options = { onError, wire };
  return {
    access,
    journals: new ShardJournals(access.app, database, { ...options, connections: 8 }),
    archive: new EventArchive(access.app, database, options),
    log: new ClusterLog(access.app, database, { onError }),
  };
}

/** Every consumer group of a deployment. */
export function groupNames(config: ClusterConfig): string[] {
  return [...groupPlans(config.platform).map(({ name }) => name), RECORDER_GROUP, PROJECTIONS_GROUP, FEED_GROUP];
}

/** Run time of this deployment: wall time, or wall time at a pace from a common origin. */
export function clusterClock(config: ClusterConfig): RunningClock {
  const { pace } = config.clock;
  return pace === 1 ? new RunningClock() : new RunningClock(pace, runTimeAt(config, Date.now()));
}

/** Run time of this deployment at a wall time, ms. */
export function runTimeAt({ clock: { pace, origin } }: Pick<ClusterConfig, 'clock'>, wallMs: number): number {
  return pace === 1 ? wallMs : Math.round(origin + (wallMs - origin) * pace);
}

export function ownerName(config: ClusterConfig, app: string): string {
  return config.instance === '' ? `${app}@${hostname()}:${process.pid}` : `${app}@${config.instance}`;
}
