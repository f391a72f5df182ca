import type { Admin, Kafka } from 'kafkajs';

/** What the broker keeps of a partition. */
export interface Kept {
  /** Offset of the oldest message. */
  low: number;
  /** Offset that the next message will get. */
  high: number;
}

/** Offsets as brokers know them, through one connection that is made when it is first needed. */
export class Positions {
  private admin: Promise<Admin> | null = null;

  constructor(
    private readonly client: Kafka,
    private readonly groupId: string,
  ) {}

  /** Partitions of every topic; a topic that does not exist is missing. */
  async counts(topics: readonly string[]): Promise<Map<string, number>> {
    return this.ask(async (admin) => {
      const known = new Set(await admin.listTopics());
      const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.filter((topic) => known.has(topic)) });
      return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
    });
  }

  /** By partition. */
  async kept(topic: string): Promise<Map<number, Kept>> {
    return this.ask(async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
    });
  }

  /** What the group has committed, by topic and partition. */
  async committed(topics: readonly string[]): Promise<Map<string, Map<number, number>>> {
    return this.ask(async (admin) => {
      const offsets = await admin.fetchOffsets({ groupId: this.groupId, topics: [...topics] });
      return new Map(
        offsets.map(({ topic, partitions }) => [
          topic,
          new Map(
            partitions.flatMap(({ partition, offset }) => (Number(offset) < 0 ? [] : [[partition, Number(offset)]])),
          ),
        ]),
      );
    });
  }

  async close(): Promise<void> {
    const admin = await this.admin?.catch(() => null);
    this.admin = null;
    await admin?.disconnect();
  }

  /** A failed connection is made anew for the next question. */
  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    this.admin ??= this.connect();
    const { admin } = this;
    try {
      return await question(await admin);
    } catch (error) {
      if (this.admin === admin) {
        this.admin = null;
        await admin.then((connected) => connected.disconnect()).catch(() => undefined);
      }
      throw error;
    }
  }

  private async connect(): Promise<Admin> {
    const admin = this.client.admin({ retry: { initialRetryTime: 50, maxRetryTime: 300, retries: 5 } });
    await admin.connect();
    return admin;
  }
}
