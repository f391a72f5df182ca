import { createHash } from 'node:crypto';
import { TOPICS, type AnyEvent, type EventType, type TopicName } from '@moon/events';
import { createBroadcastConsumer, kafkaClient, type KafkaSettings } from '@moon/infra';
import { canonicalJson, isRefused, type BusConsumer, type BusMessage, type BusPartition } from '@moon/kernel';
import { waitFor } from './root';

const ALL_TOPICS = Object.keys(TOPICS) as TopicName[];

/** What the broker carries of one event. */
export interface Carried {
  digest: string;
  type: EventType;
  key: string;
  cause: string | null;
  producer: string | null;
  /** Where it stands first. */
  topic: TopicName;
  partition: number;
  offset: number;
  copies: number;
}

/** Digest of what an event says; headers, which say how it travelled, left out. */
export function digestOf({ id, type, schemaVersion, source, key, occurredAt, ...rest }: AnyEvent): string {
  const { correlationId, causationId, data } = rest;
  const content = { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data };
  return createHash('sha1').update(canonicalJson(content)).digest('base64url').slice(0, 16);
}

/** Reads everything on the brokers beside the platform, and remembers what it may be held to. */
export class Auditor {
  readonly events = new Map<string, Carried>();
  /** One sentence for each id that came with two contents. */
  readonly conflicts: string[] = [];
  refused = 0;
  private readonly next = new Map<string, number>();
  private readonly consumer: BusConsumer;

  constructor(private readonly settings: KafkaSettings) {
    this.consumer = createBroadcastConsumer({ settings, groupId: 'auditor', topics: ALL_TOPICS, from: 'beginning' });
  }

  async start(): Promise<void> {
    const nothing = (): Promise<void> => Promise.resolve();
    await this.consumer.start({
      assigned: nothing,
      revoked: nothing,
      messages: (from, messages) => {
        const slot = slotOf(from);
        for (const message of messages) {
          if (message.offset < (this.next.get(slot) ?? 0)) continue;
          this.next.set(slot, message.offset + 1);
          if (isRefused(message)) this.refused += 1;
          else this.note(message);
        }
        return Promise.resolve();
      },
      expired: (from) => Promise.reject(new Error(`Messages of ${slotOf(from)} expired before they were audited.`)),
    });
  }

  /** Waits until it has read as far as the brokers hold now. */
  async caughtUp(limitMs: number): Promise<void> {
    const ends = await this.ends();
    await waitFor('The auditor reads to the end of every topic', limitMs, () =>
      ends.every(({ slot, end }) => end === 0 || (this.next.get(slot) ?? 0) >= end) ? true : null,
    );
  }

  async stop(): Promise<void> {
    await this.consumer.stop();
  }

  private note({ event, topic, partition, offset, producer }: BusMessage): void {
    const digest = digestOf(event);
    const known = this.events.get(event.id);
    if (!known) {
      const { type, key, causationId: cause } = event;
      this.events.set(event.id, { digest, type, key, cause, producer, topic, partition, offset, copies: 1 });
      return;
    }
    known.copies += 1;
    if (known.digest !== digest)
      this.conflicts.push(`${event.type} ${event.id} has two contents (${topic}/${partition}, offset ${offset})`);
  }

  private async ends(): Promise<Array<{ slot: string; end: number }>> {
    const admin = kafkaClient(this.settings).admin({ retry: { initialRetryTime: 200, retries: 30 } });
    await admin.connect();
    try {
      const ends: Array<{ slot: string; end: number }> = [];
      for (const topic of ALL_TOPICS) {
        for (const { partition, high } of await admin.fetchTopicOffsets(topic))
          ends.push({ slot: slotOf({ topic, partition }), end: Number(high) });
      }
      return ends;
    } finally {
      await admin.disconnect();
    }
  }
}

const slotOf = ({ topic, partition }: BusPartition): string => `${topic}/${partition}`;
