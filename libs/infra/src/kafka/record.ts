import { CATALOG, toCloudEvent, type AnyEvent } from '@moon/events';
import { PublishRefused } from '@moon/kernel';

/** Names the shard that published a message; no `moon_` header, since those are the event's own. */
export const PRODUCER_HEADER = 'moonshard';

/** A message before it has a place on the broker. */
export interface KafkaRecord {
  topic: string;
  /** Null: to the first partition, for messages that came without a key. */
  key: string | null;
  value: string | Buffer;
  headers: Record<string, string>;
}

/** The message of an event: CloudEvents in binary mode, in the topic that the catalog gives its type. */
export function recordOf(event: AnyEvent, producer?: string): KafkaRecord {
  const { key, headers, value } = toCloudEvent(event);
  if (producer !== undefined) headers[PRODUCER_HEADER] = producer;
  return { topic: CATALOG[event.type].topic, key, headers, value };
}

/** Says which message can never go where, and why. */
export function refusalOf({ topic, key, headers }: KafkaRecord, why: string): PublishRefused {
  const name = headers.ce_type === undefined ? 'A message' : `${headers.ce_type} ${headers.ce_id ?? ''}`;
  return new PublishRefused(`${name} with key ${JSON.stringify(key)} cannot go to topic ${topic}: ${why}.`);
}
