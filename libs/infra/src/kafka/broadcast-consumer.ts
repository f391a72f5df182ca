import { randomUUID } from 'node:crypto';
import { KafkaConsumer, type KafkaConsumerOptions } from './consumer';

/** A consumer that reads all partitions for this process alone, from the positions it is given or the end; nothing is committed. */
export function createBroadcastConsumer(options: Omit<KafkaConsumerOptions, 'shards'>): KafkaConsumer {
  const { groupId, from = 'end' } = options;
  return new Broadcast({ ...options, from, shards: 1, groupId: `${groupId}.${randomUUID()}` });
}

class Broadcast extends KafkaConsumer {
  override commit(): Promise<void> {
    return Promise.resolve();
  }
}
