import { TOPICS } from '@moon/events';
import { describeKafkaError, kafkaClient, KafkaUnavailable, type KafkaSettings } from '@moon/infra';
import { RECORDER_GROUP } from './connections';

/** Questions about all topics at once may take longer than those of a message. */
const PATIENCE_MS = 15_000;

/** Messages on the brokers that the recorder has not noted as archived, by topic; only topics that have some. @throws KafkaUnavailable */
export async function recorderLag(settings: KafkaSettings): Promise<Record<string, number>> {
  const patient = { ...settings, requestTimeoutMs: Math.max(settings.requestTimeoutMs, PATIENCE_MS) };
  const admin = kafkaClient(patient).admin({ retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 5 } });
  const topics = Object.keys(TOPICS);
  try {
    await admin.connect();
    const committed = await admin.fetchOffsets({ groupId: RECORDER_GROUP, topics });
    const lags: Record<string, number> = {};
    for (const { topic, partitions } of committed) {
      const noted = new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const waiting = Number(high) - Math.max(Number(low), noted.get(partition) ?? 0);
        if (waiting > 0) lags[topic] = (lags[topic] ?? 0) + waiting;
      }
    }
    return lags;
  } catch (error) {
    throw new KafkaUnavailable(describeKafkaError(error, settings), error);
  } finally {
    await admin.disconnect();
  }
}
