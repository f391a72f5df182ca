import {
  CATALOG,
  cutValue,
  EventRefused,
  fromCloudEvent,
  mayEmit,
  TOPICS,
  type AnyEvent,
  type TopicName,
} from '@moon/events';
import { STREAM_VERSION, type BusMessage, type RefusedMessage } from '@moon/kernel';
import type { KafkaMessage } from 'kafkajs';
import { PRODUCER_HEADER } from './record';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text, or null when they are none. */
function textOf(bytes: Uint8Array | string): string | null {
  if (typeof bytes === 'string') return bytes;
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** A message as an event, or why it is none. Never throws: whatever comes over the wire is data. */
export function decodeMessage(topic: string, partition: number, message: KafkaMessage): BusMessage | RefusedMessage {
  const position = { topic: topic as TopicName, partition, offset: Number(message.offset) };
  const headers: Record<string, string> = {};
  let isText = true;
  for (const [name, given] of Object.entries(message.headers ?? {})) {
    const one = Array.isArray(given) ? given[0] : given;
    const text = one === undefined ? '' : textOf(one);
    if (text === null) isText = false;
    headers[name] = text ?? Buffer.from(one!).toString('latin1');
  }
  const key = message.key === null ? null : textOf(message.key);
  const value = message.value === null ? null : textOf(message.value);
  const refuse = (reason: string, detail: string): RefusedMessage => {
    const isBinary = message.value !== null && value === null;
    const raw = {
      key: message.key === null ? null : (key ?? message.key.toString('latin1')),
      value: value ?? message.value?.toString('base64') ?? '',
      headers,
      ...(isBinary && { encoding: 'base64' as const }),
    };
    return { ...position, reason, detail, raw };
  };
  if (message.value === null) return refuse('no_body', 'The message has no body; the data of an event was expected.');
  if (value === null || !isText || (message.key !== null && key === null)) {
    return refuse(
      'not_text',
      'Key, headers or body are no UTF-8; a CloudEvent in binary mode with a JSON body was expected.',
    );
  }
  if (headers.ce_specversion === undefined) {
    return refuse('no_cloud_event', 'The header ce_specversion is missing; a CloudEvent in binary mode was expected.');
  }
  try {
    const event = fromCloudEvent({ headers, value });
    const decoded = { ...position, event, producer: headers[PRODUCER_HEADER] ?? null };
    const misplaced = misplacement(decoded, key);
    return misplaced === null ? decoded : refuse(...misplaced);
  } catch (error) {
    if (error instanceof EventRefused) return refuse(error.rule, error.message);
    return refuse('undecodable', error instanceof Error ? error.message : String(error));
  }
}

const STRANGERS = "Find out who writes there, and keep strangers out with the brokers' ACLs";

/** Why an event may not come as this message does: a code, and what is wrong with what to do. Null: it may. */
function misplacement({ event, topic, producer }: BusMessage, key: string | null): [string, string] | null {
  const { type, source } = event;
  const entry = CATALOG[type];
  if (event.key !== key) return ['wrong_key', `The message's key is ${cutValue(key)}, the event's "${event.key}".`];
  // Topics that the catalog does not name are read by measurements alone.
  if (entry.topic !== topic && Object.hasOwn(TOPICS, topic)) {
    return ['wrong_topic', `${type} belongs to topic ${entry.topic}, and this is ${topic}. ${STRANGERS}.`];
  }
  if (!mayEmit(type, source)) {
    const emitters = entry.emitters.join(', ');
    return ['forged_source', `${type} comes from ${emitters}, and this is from ${cutValue(source)}. ${STRANGERS}.`];
  }
  if (entry.store === 'stream' && !isFromTheLog(event, producer)) {
    const detail = `${type} is published from the log alone, with its shard and stream version, which this one lacks`;
    return ['not_from_the_log', `${detail}: nobody obeys it. ${STRANGERS}; ask the platform with the command moon.`];
  }
  return null;
}

/** Whether a store-first event names what the relay gives it. */
function isFromTheLog({ headers }: AnyEvent, producer: string | null): boolean {
  const version = headers?.[STREAM_VERSION];
  return producer !== null && producer !== '' && Number.isSafeInteger(version) && (version as number) >= 1;
}
