import type { TopicName } from '@moon/events';
import type { BusPartition, BusPosition } from '@moon/kernel';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { describeKafkaError, type KafkaSettings } from './kafka-config';
import { Presence } from './presence';
import { shardAssigner, type ShardClaim } from './shard-assigner';

export interface GroupMemberHooks {
  claim: () => ShardClaim;
  /** The group has divided its shards; called before the next fetch. */
  joined: (memberId: string, assignment: Readonly<Record<string, number[]>>) => void;
  batch: (payload: EachBatchPayload) => void;
  /** The client gave up; a new one is built, for as long as it takes. */
  crashed: (error: unknown) => void;
}

export interface GroupMemberOptions {
  client: Kafka;
  settings: KafkaSettings;
  groupId: string;
  topics: readonly TopicName[];
  shards: number;
  fetchIntervalMs: number;
}

const REBUILD_MS = 300;
const STOP_MS = 5000;
const MOST_BYTES = 4_194_304;
const MOST_PARTITION_BYTES = 1_048_576;

/**
 * Membership in a consumer group, for as long as it takes: kafkajs ends its consumer on what it holds for final, a broker
 * outage for one, and only a new consumer gets over that.
 */
export class GroupMember {
  private consumer: Consumer | null = null;
  private readonly presence = new Presence();
  /**
   * A join has begun and was not completed. When the answer with its part of the shards does not come in time (the group's
   * leader is slow), kafkajs goes on fetching what it had before, under the new generation, for good.
   */
  private isJoining = false;
  private isStopped = false;
  private wantsRejoin = false;
  private needsBuild = false;
  private rebuilding: Promise<void> | null = null;

  constructor(
    private readonly options: GroupMemberOptions,
    private readonly hooks: GroupMemberHooks,
  ) {}

  /** Resolves when the member has joined, or goes on trying. */
  async start(): Promise<void> {
    try {
      await this.build();
    } catch (error) {
      this.crashed(error);
      this.rebuild();
    }
  }

  /** That it is not in its group, why, and what to do, in one line; null while it is in it, or may be back in a moment. */
  absence(): string | null {
    const missing = this.presence.missing();
    if (missing === null) return null;
    const { groupId, shards, settings } = this.options;
    const why = missing.why === null ? 'it is still to join' : describeKafkaError(missing.why, settings);
    return `not in the consumer group ${groupId}, of ${shards} shards: ${why}`;
  }

  /** Divides the group anew, at the next fetch. */
  rejoin(): void {
    this.wantsRejoin = true;
  }

  /** Before a join there is nothing to move: every position is set again after it. */
  seek({ topic, partition }: BusPartition, offset: number): void {
    if (this.presence.isJoined) this.consumer!.seek({ topic, partition, offset: String(offset) });
  }

  setPaused({ topic, partition }: { topic: string; partition: number }, isPaused: boolean): void {
    if (!this.presence.isJoined) return;
    const one = [{ topic, partitions: [partition] }];
    if (isPaused) this.consumer!.pause(one);
    else this.consumer!.resume(one);
  }

  /** @throws Error the broker did not take them; they may be given again */
  async commit(positions: readonly BusPosition[]): Promise<void> {
    if (!this.presence.isJoined) throw new Error('The member is not in its group at the moment.');
    await this.consumer!.commitOffsets(
      positions.map(({ topic, partition, offset }) => ({ topic, partition, offset: String(offset) })),
    );
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    const { consumer } = this;
    this.presence.left();
    if (consumer === null) return;
    // A client in the middle of its retries finishes them first; the group notices by the session's end.
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_MS)));
    await Promise.race([consumer.disconnect().catch(() => undefined), patience]);
    clearTimeout(timer);
  }

  private async build(): Promise<void> {
    const { client, settings, groupId, topics, shards, fetchIntervalMs } = this.options;
    const consumer = client.consumer({
      groupId,
      partitionAssigners: [
        shardAssigner({
          shards,
          claim: () => this.claim(),
          fetchIntervalMs,
          wantsRejoin: () => this.presence.isJoined && (this.isJoining || this.wantsRejoin) && this.take(),
        }),
      ],
      sessionTimeout: settings.sessionTimeoutMs,
      heartbeatInterval: settings.heartbeatIntervalMs,
      rebalanceTimeout: settings.rebalanceTimeoutMs,
      metadataMaxAge: settings.metadataMaxAgeMs,
      maxWaitTimeInMs: settings.maxWaitMs,
      maxBytes: MOST_BYTES,
      maxBytesPerPartition: MOST_PARTITION_BYTES,
      allowAutoTopicCreation: false,
      // Few retries drop the member without a word, and its successor waits for the old session to end.
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 100, restartOnFailure: () => Promise.resolve(false) },
    });
    this.consumer = consumer;
    const { GROUP_JOIN, STOP, CRASH } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload: { memberId, memberAssignment } }) => {
      if (this.consumer !== consumer || this.isStopped) return;
      this.presence.joined();
      this.isJoining = false;
      this.hooks.joined(memberId, memberAssignment);
    });
    // It takes nothing any more, and throws: long before it says that it crashed, while a broker that is frozen owes it an answer.
    consumer.on(STOP, () => {
      if (this.consumer === consumer) this.presence.left();
    });
    consumer.on(CRASH, ({ payload: { error } }) => {
      if (this.consumer !== consumer || this.isStopped) return;
      this.crashed(error);
      this.rebuild();
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => {
        if (payload.isRunning() && !payload.isStale()) this.hooks.batch(payload);
        return Promise.resolve();
      },
    });
  }

  /** What is claimed now is what a wanted rejoin would say. */
  private claim(): ShardClaim {
    this.wantsRejoin = false;
    this.isJoining = true;
    return this.hooks.claim();
  }

  private take(): boolean {
    this.wantsRejoin = false;
    return true;
  }

  private crashed(error: unknown): void {
    this.presence.left(error);
    this.hooks.crashed(error);
  }

  /** A consumer that crashes while it is built is one more to build. */
  private rebuild(): void {
    this.needsBuild = true;
    this.rebuilding ??= this.buildUntilDone();
  }

  private async buildUntilDone(): Promise<void> {
    while (this.needsBuild && !this.isStopped) {
      await new Promise((resolve) => setTimeout(resolve, REBUILD_MS));
      if (this.isStopped) return;
      this.needsBuild = false;
      try {
        await this.build();
      } catch (error) {
        this.needsBuild = true;
        this.crashed(error);
        await this.consumer?.disconnect().catch(() => undefined);
      }
    }
    this.rebuilding = null;
  }
}
