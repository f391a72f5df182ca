import { TOPICS, type TopicName } from '@moon/events';
import { type Admin, ConfigResourceTypes } from 'kafkajs';
import { describeKafkaError, kafkaClient, KafkaUnavailable, type KafkaSettings } from './kafka-config';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ADMIN_TIMEOUT_MS = 15_000;
const ADMIN_ATTEMPTS = 20;
const ADMIN_PAUSE_MS = 250;
const DEAD_LETTERS_RETENTION_MS = 30 * DAY_MS;

/** A topic as it is to be. */
export interface PlannedTopic {
  name: string;
  partitions: number;
  replicationFactor: number;
  /** Everything that it sets itself: brokers replace the whole of it. */
  config: Readonly<Record<string, string>>;
}

/** A difference between the plan and the cluster, for `moon doctor`. */
export interface TopicDrift {
  topic: string;
  kind: 'missing' | 'partitions' | 'replication' | 'config';
  /** Name of the setting of a `config` drift. */
  setting?: string;
  expected: string;
  found: string;
  /** What to do. */
  advice: string;
  /** Everything works as it is. */
  mayStay?: true;
}

export const deadLetterTopic = (groupId: string): string => `dead-letters.${groupId}`;

/** Every topic of the catalog, and one of dead letters for each group. */
export function topicPlan(settings: KafkaSettings, groups: readonly string[]): PlannedTopic[] {
  const planned = (name: string, partitions: number, retentionMs: number): PlannedTopic => ({
    name,
    partitions,
    replicationFactor: settings.replicationFactor,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(retentionMs),
      // Only closed segments expire; brokers keep one open for a week unless they are told otherwise.
      'segment.ms': String(Math.min(DAY_MS, Math.max(HOUR_MS, Math.floor(retentionMs / 24)))),
      'min.insync.replicas': String(settings.minInSyncReplicas),
      'max.message.bytes': String(settings.maxMessageBytes),
    },
  });
  const names = Object.keys(TOPICS) as TopicName[];
  return [
    ...names.map((name) => planned(name, TOPICS[name].partitions, TOPICS[name].retentionMs)),
    ...groups.map((group) => planned(deadLetterTopic(group), 1, DEAD_LETTERS_RETENTION_MS)),
  ];
}

/**
 * Makes the cluster's topics what the plan says, as far as that loses nothing: topics are created, settings replaced, and
 * partitions added to empty topics only, since keys would move away from their order in others.
 * @returns what still differs, with what to do
 * @throws KafkaUnavailable
 */
export async function ensureTopics(settings: KafkaSettings, plan: readonly PlannedTopic[]): Promise<TopicDrift[]> {
  return withAdmin(settings, async (admin) => {
    const before = await findDrift(admin, plan);
    const toMend = before.filter(({ mayStay }) => !mayStay);
    const byName = new Map(plan.map((topic) => [topic.name, topic]));
    const affected = (kind: TopicDrift['kind']): PlannedTopic[] =>
      [...new Set(toMend.filter((drift) => drift.kind === kind).map(({ topic }) => topic))].map((name) =>
        byName.get(name)!,
      );
    const missing = affected('missing');
    if (missing.length > 0) await createAll(admin, missing);
    const changed = affected('config');
    if (changed.length > 0) {
      await admin.alterConfigs({
        validateOnly: false,
        resources: changed.map(({ name, config }) => ({
          type: ConfigResourceTypes.TOPIC,
          name,
          configEntries: Object.entries(config).map(([setting, value]) => ({ name: setting, value })),
        })),
      });
    }
    for (const { name, partitions } of affected('partitions')) {
      const offsets = await admin.fetchTopicOffsets(name);
      const isEmpty = offsets.every(({ low, high }) => low === high);
      if (isEmpty && offsets.length < partitions) {
        await admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] });
      }
    }
    return toMend.length === 0 ? before : findDrift(admin, plan);
  });
}

/** How the cluster's topics differ from the plan. @throws KafkaUnavailable */
export async function topicDrift(settings: KafkaSettings, plan: readonly PlannedTopic[]): Promise<TopicDrift[]> {
  return withAdmin(settings, (admin) => findDrift(admin, plan));
}

/** Two processes that start together both create: whoever is second finds them there. */
async function createAll(admin: Admin, missing: readonly PlannedTopic[]): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map(({ name, partitions, replicationFactor, config }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([setting, value]) => ({ name: setting, value })),
    })),
  });
}

async function findDrift(admin: Admin, plan: readonly PlannedTopic[]): Promise<TopicDrift[]> {
  const known = new Set(await admin.listTopics());
  const present = plan.filter(({ name }) => known.has(name));
  const drift: TopicDrift[] = plan
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => ({
      topic: name,
      kind: 'missing',
      expected: 'exists',
      found: 'missing',
      advice: 'Create the topics of the catalog.',
    }));
  if (present.length === 0) return drift;
  const [{ topics }, { resources }] = await Promise.all([
    admin.fetchTopicMetadata({ topics: present.map(({ name }) => name) }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: present.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name })),
    }),
  ]);
  for (const planned of present) {
    const partitions = topics.find(({ name }) => name === planned.name)?.partitions ?? [];
    if (partitions.length !== planned.partitions) drift.push(partitionDrift(planned, partitions.length));
    const factor = Math.min(...partitions.map(({ replicas }) => replicas.length));
    if (factor !== planned.replicationFactor) {
      const advice = 'Reassign its partitions to the wanted number of brokers.';
      drift.push({
        topic: planned.name,
        kind: 'replication',
        expected: String(planned.replicationFactor),
        found: String(factor),
        advice,
      });
    }
    const entries = resources.find(({ resourceName }) => resourceName === planned.name)?.configEntries ?? [];
    for (const [setting, expected] of Object.entries(planned.config)) {
      const found = entries.find(({ configName }) => configName === setting)?.configValue ?? 'unknown';
      if (found === expected) continue;
      drift.push({
        topic: planned.name,
        kind: 'config',
        setting,
        expected,
        found,
        advice: 'Set up the topics again; it is altered in place.',
      });
    }
  }
  return drift;
}

function partitionDrift({ name, partitions }: PlannedTopic, found: number): TopicDrift {
  const drift = { topic: name, kind: 'partitions' as const, expected: String(partitions), found: String(found) };
  // A topic that is made anew has other offsets than checkpoints name.
  const anew = 'begin a new deployment with an empty store';
  if (found < partitions)
    return { ...drift, advice: `Do not add any, its keys would lose their order: ${anew}, topics and all.` };
  // Brokers never take partitions away.
  const fewer = `to have fewer, ${anew}`;
  if (found % partitions !== 0)
    return { ...drift, advice: `Groups whose number of shards does not divide it cannot start: ${fewer}.` };
  return { ...drift, mayStay: true, advice: `It may stay: all of it is read, at some cost to the brokers; ${fewer}.` };
}

async function withAdmin<T>(settings: KafkaSettings, work: (admin: Admin) => Promise<T>): Promise<T> {
  // Questions about all topics at once: an answer may take longer than one that a message waits for.
  const patient = { ...settings, requestTimeoutMs: Math.max(settings.requestTimeoutMs, ADMIN_TIMEOUT_MS) };
  const admin = kafkaClient(patient).admin({ retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 } });
  try {
    await admin.connect();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(admin);
      } catch (error) {
        // Brokers hear of new topics one after the other: for a moment some do not know them.
        if (attempt >= ADMIN_ATTEMPTS || !(error as { retriable?: boolean }).retriable) throw error;
        await new Promise((resolve) => setTimeout(resolve, ADMIN_PAUSE_MS));
      }
    }
  } catch (error) {
    throw new KafkaUnavailable(describeKafkaError(error, settings), error);
  } finally {
    await admin.disconnect();
  }
}
