import { TOPICS, type TopicName } from '@moon/events';
import { createBroadcastConsumer, kafkaClient, type KafkaSettings } from '@moon/infra';
import { isRefused, type BusConsumer, type BusPartition } from '@moon/kernel';
import { CarriedEvents, type Carried } from './carried';
import { pause, waitFor } from './root';

const ASKED_AT_MOST = 60;
const ALL_TOPICS = Object.keys(TOPICS) as TopicName[];

/** It is in no hurry, and is to cost little beside what it watches. */
const FETCH_INTERVAL_MS = 200;

/** Reads everything on the brokers beside the platform, and remembers what it may be held to. */
export class Auditor {
  refused = 0;
  private readonly carried = new CarriedEvents();
  private readonly next = new Map<string, number>();
  private readonly consumer: BusConsumer;

  constructor(private readonly settings: KafkaSettings) {
    const reading = {
      groupId: 'auditor',
      topics: ALL_TOPICS,
      from: 'beginning',
      fetchIntervalMs: FETCH_INTERVAL_MS,
    } as const;
    this.consumer = createBroadcastConsumer({ settings, ...reading });
  }

  get events(): ReadonlyMap<string, Carried> {
    return this.carried.events;
  }

  /** One sentence for each id that came with two contents. */
  get conflicts(): readonly string[] {
    return this.carried.conflicts;
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
          else this.carried.note(message);
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

  /** Leaders may be on the move: then it is asked again. */
  private async ends(): Promise<Array<{ slot: string; end: number }>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.endsNow();
      } catch (error) {
        if (attempt === ASKED_AT_MOST) throw error;
        await pause(500);
      }
    }
  }

  private async endsNow(): Promise<Array<{ slot: string; end: number }>> {
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
