import type { AnyEvent } from '@moon/events';
import type { BusMessage, RefusedMessage } from '@moon/kernel';
import type { KafkaMessage } from 'kafkajs';
import { decodeMessage } from '../kafka/decode';
import { recordOf } from '../kafka/record';

/** An event's message at offset 0 of a partition, as a consumer's lane decodes it. */
export function arriving(event: AnyEvent, partition: number, producer?: string): BusMessage | RefusedMessage {
  const { key, value, headers, topic } = recordOf(event, producer);
  const message = { key: Buffer.from(key!), value: Buffer.from(value as string), headers, offset: '0' };
  return decodeMessage(topic, partition, message as unknown as KafkaMessage);
}
