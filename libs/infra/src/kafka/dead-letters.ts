import { randomUUID } from 'node:crypto';
import { toCloudEvent, type TopicName } from '@moon/events';
import type { BusMessage, RefusedMessage } from '@moon/kernel';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { Logger } from '../telemetry';
import { kafkaClient, type KafkaSettings } from './kafka-config';
import { Positions } from './positions';
import { PRODUCER_HEADER } from './record';
import { RecordSender } from './record-sender';
import { deadLetterTopic } from './topics';

/** Names what a dead letter adds to the headers of the message; they are taken off again at a replay. */
const PREFIX = 'dead_';
/** On a replayed message: group and offset of the dead letter that it was. */
export const REPLAY_HEADER = 'moonreplay';

/** A message that a group could not handle. */
export interface BuriedMessage {
  /** Its offset in the group's dead-letter topic: its name for `show` and `replay`. */
  offset: number;
  /** When it was put there, ISO 8601. */
  at: string;
  reason: string;
  detail: string;
  origin: { topic: TopicName; partition: number; offset: number };
  key: string | null;
  /** As it came. */
  value: Buffer;
  headers: Readonly<Record<string, string>>;
}

/** A message that is an event but that its handler cannot take, as a refused one. */
export function refusedMessage(message: BusMessage, reason: string, detail: string): RefusedMessage {
  const { topic, partition, offset, event, producer } = message;
  const { key, value, headers } = toCloudEvent(event);
  if (producer !== null) headers[PRODUCER_HEADER] = producer;
  return { topic, partition, offset, reason, detail, raw: { key, value, headers } };
}

export interface DeadLetterOptions {
  settings: KafkaSettings;
  groupId: string;
  logger?: Logger;
}

/** The dead letters of a group: put there by its members, looked at and replayed by operators. */
export class DeadLetters {
  private readonly sender: RecordSender;
  private readonly topic: string;

  constructor(private readonly options: DeadLetterOptions) {
    this.topic = deadLetterTopic(options.groupId);
    this.sender = new RecordSender({ settings: options.settings, ...(options.logger && { logger: options.logger }) });
  }

  /** Resolves when every replica in sync holds it; only then may its offset count as handled (rule 26). */
  bury({ topic, partition, offset, reason, detail, raw }: RefusedMessage): Promise<void> {
    const { key, value, headers, encoding } = raw;
    const added = { topic, partition: String(partition), offset: String(offset), reason, detail };
    const named = Object.fromEntries(Object.entries(added).map(([name, text]) => [`${PREFIX}${name}`, text]));
    return this.sender.send([
      { topic: this.topic, key, value: Buffer.from(value, encoding ?? 'utf8'), headers: { ...headers, ...named } },
    ]);
  }

  /** Oldest first, at most `limit` of the newest. */
  async list(limit = 1000): Promise<BuriedMessage[]> {
    return this.read(limit, null);
  }

  /** @returns null when there is none (any more) */
  async show(offset: number): Promise<BuriedMessage | null> {
    return (await this.read(1, offset)).find((letter) => letter.offset === offset) ?? null;
  }

  /**
   * Puts the message back on the topic that it came from, byte for byte, under its key and marked as replayed.
   * @throws Error there is no such dead letter
   */
  async replay(offset: number): Promise<BuriedMessage> {
    const letter = await this.show(offset);
    if (letter === null)
      throw new Error(`Group ${this.options.groupId} has no dead letter ${offset}; list them to see which there are.`);
    const { key, value, headers, origin } = letter;
    const marked = { ...headers, [REPLAY_HEADER]: `${this.options.groupId}/${offset}` };
    await this.sender.send([{ topic: origin.topic, key, value, headers: marked }]);
    return letter;
  }

  stop(): Promise<void> {
    return this.sender.stop();
  }

  /** From `from` on, or the newest ones when it is null. */
  private async read(limit: number, from: number | null): Promise<BuriedMessage[]> {
    const { settings, logger } = this.options;
    const client = kafkaClient(settings, logger);
    const groupId = `${this.topic}.reader.${randomUUID()}`;
    const positions = new Positions(client, groupId);
    try {
      const counts = await positions.counts([this.topic]);
      if (!counts.has(this.topic))
        throw new Error(`Topic ${this.topic} does not exist: create the topics of the catalog first.`);
      const { low, high } = (await positions.kept(this.topic)).get(0)!;
      const start = Math.max(low, from ?? high - limit);
      if (start >= high || (from !== null && from < low)) return [];
      const consumer = client.consumer({ groupId, maxWaitTimeInMs: settings.maxWaitMs, allowAutoTopicCreation: false });
      try {
        const found: BuriedMessage[] = [];
        await consumer.connect();
        await consumer.subscribe({ topics: [this.topic], fromBeginning: true });
        await new Promise<void>((resolve, reject) => {
          consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
          consumer
            .run({
              autoCommit: false,
              eachMessage: ({ message }) => {
                const offset = Number(message.offset);
                if (offset >= start && found.length < limit) found.push(letterOf(message));
                if (offset >= high - 1 || found.length >= limit) resolve();
                return Promise.resolve();
              },
            })
            .catch(reject);
          consumer.seek({ topic: this.topic, partition: 0, offset: String(start) });
        });
        return found;
      } finally {
        await consumer.disconnect();
      }
    } finally {
      await positions.close();
    }
  }
}

function letterOf({ offset, timestamp, key, value, headers }: KafkaMessage): BuriedMessage {
  const own: Record<string, string> = {};
  const added: Record<string, string> = {};
  for (const [name, text] of Object.entries(textHeaders(headers))) {
    if (name.startsWith(PREFIX)) added[name.slice(PREFIX.length)] = text;
    else own[name] = text;
  }
  return {
    offset: Number(offset),
    at: new Date(Number(timestamp)).toISOString(),
    reason: added.reason ?? 'unknown',
    detail: added.detail ?? '',
    origin: { topic: added.topic as TopicName, partition: Number(added.partition), offset: Number(added.offset) },
    key: key?.toString('utf8') ?? null,
    value: value ?? Buffer.alloc(0),
    headers: own,
  };
}

function textHeaders(headers: IHeaders | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, given]) => [name, String(Array.isArray(given) ? given[0] : given)]),
  );
}
