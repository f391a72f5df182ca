import type { AnyEvent } from '@moon/events';
import type { BusMessage, RefusedMessage } from '@moon/kernel';
import type { KafkaMessage } from 'kafkajs';
import { decodeMessage } from '../kafka/decode';
import { recordOf } from '../kafka/record';

export interface Arrival {
  producer?: string;
  /** Default: the one of its type. */
  topic?: string;
  partition: number;
  offset: number;
}

/** An event as a consumer finds it when somebody put it there. */
export function arriving(
  event: AnyEvent,
  { producer, topic, partition, offset }: Arrival,
): BusMessage | RefusedMessage {
  const { key, value, headers, topic: own } = recordOf(event, producer);
  const message = { key: Buffer.from(key!), value: Buffer.from(value as string), headers, offset: String(offset) };
  return decodeMessage(topic ?? own, partition, message as unknown as KafkaMessage);
}
