import { TOPICS, type TopicName } from '@moon/events';
import { describeKafkaError, kafkaClient, KafkaUnavailable, type KafkaSettings } from '@moon/infra';
import type { BusPosition } from '@moon/kernel';
import type { Admin } from 'kafkajs';
import { RECORDER_GROUP } from './connections';

/** Questions about all topics at once may take longer than those of a message. */
const PATIENCE_MS = 15_000;

/** Offsets below which everything is archived, as the recorder has noted them, by topic and partition. @throws KafkaUnavailable */
export async function recorderPositions(settings: KafkaSettings): Promise<BusPosition[]> {
  return asked(settings, async (admin) => {
    const committed = await admin.fetchOffsets({ groupId: RECORDER_GROUP, topics: Object.keys(TOPICS) });
    return committed.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => {
        return { topic: topic as TopicName, partition, offset: Math.max(0, Number(offset)) };
      }),
    );
  });
}

/** Messages on the brokers that the recorder has not noted as archived, by topic; only topics that have some. @throws KafkaUnavailable */
export async function recorderLag(settings: KafkaSettings): Promise<Record<string, number>> {
  return asked(settings, async (admin) => {
    const committed = await admin.fetchOffsets({ groupId: RECORDER_GROUP, topics: Object.keys(TOPICS) });
    const lags: Record<string, number> = {};
    for (const { topic, partitions } of committed) {
      const noted = new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const waiting = Number(high) - Math.max(Number(low), noted.get(partition) ?? 0);
        if (waiting > 0) lags[topic] = (lags[topic] ?? 0) + waiting;
      }
    }
    return lags;
  });
}

async function asked<T>(settings: KafkaSettings, question: (admin: Admin) => Promise<T>): Promise<T> {
  const patient = { ...settings, requestTimeoutMs: Math.max(settings.requestTimeoutMs, PATIENCE_MS) };
  const admin = kafkaClient(patient).admin({ retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 } });
  try {
    await admin.connect();
    return await question(admin);
  } catch (error) {
    throw new KafkaUnavailable(describeKafkaError(error, settings), error);
  } finally {
    await admin.disconnect();
  }
}
