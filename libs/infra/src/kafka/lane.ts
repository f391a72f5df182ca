import type { BusMessage, BusPartition, RefusedMessage } from '@moon/kernel';
import type { KafkaMessage } from 'kafkajs';
import type { TopicName } from '@moon/events';
import { decodeMessage } from './decode';

/** Why a lane does not fetch: its shard is being taken on, its owner asked for it, it holds enough, or the broker is asked why it is behind. */
export type Hold = 'assigning' | 'owner' | 'bytes' | 'asking';

export interface LaneHooks {
  deliver: (from: BusPartition, messages: readonly (BusMessage | RefusedMessage)[]) => Promise<void>;
  /** Offsets from `wanted` to `first` were not in what the broker sent; told before what follows them. */
  skipped: (from: BusPartition, wanted: number, first: number) => Promise<void>;
  /** Held and queued bytes have changed. */
  changed: (lane: Lane) => void;
  onError: (error: unknown, lane: Lane) => void;
}

interface Queued {
  message: KafkaMessage;
  bytes: number;
  /** The offset that was wanted in its place; null when it is the one. */
  wanted: number | null;
}

/** One delivery: enough to store in one transaction, little enough to be done soon. */
const MOST_MESSAGES = 1000;
const LONGEST_RETRY_MS = 1000;

/**
 * One partition between the fetching loop and its owner: what was fetched waits here, so that the loop (and with it the
 * heartbeat) never waits for the owner.
 */
export class Lane implements BusPartition {
  readonly holds = new Set<Hold>(['assigning']);
  /** Offset to fetch next; null until its start is known. */
  next: number | null = null;
  /** Everything below is handled. */
  delivered = 0;
  /** The partition's end, as last heard. */
  end = 0;
  bytes = 0;
  /** Answers in a row that began at one and the same other offset than was asked for. */
  strays = 0;
  strayAt = -1;
  /** Where the broker goes on behind a hole at `next`, once it is known that there is one. */
  hole: number | null = null;
  private queue: Queued[] = [];
  private generation = 0;
  private isClosed = false;
  private working: Promise<void> | null = null;
  private wake: () => void = () => undefined;

  constructor(
    readonly topic: TopicName,
    readonly partition: number,
    private readonly hooks: LaneHooks,
  ) {}

  get lag(): number {
    return this.next === null ? 0 : Math.max(0, this.end - this.delivered);
  }

  /** Everything below is done with, also what no reader is to see; -1 while its start is not known. */
  get handled(): number {
    if (this.next === null) return -1;
    return this.queue.length === 0 && this.working === null ? this.next : this.delivered;
  }

  /** Goes on from there; what waits is dropped. */
  seek(offset: number): void {
    this.generation += 1;
    this.queue = [];
    this.bytes = 0;
    this.next = offset;
    this.delivered = offset;
    this.hole = null;
    this.strays = 0;
    this.wake();
  }

  /**
   * Takes what was fetched; offsets that were seen or are below the position drop out.
   * @param end the offset to fetch next: what is missing before it no reader is to see (control records)
   */
  offer(messages: readonly KafkaMessage[], end: number): void {
    for (const message of messages) {
      const offset = Number(message.offset);
      if (this.next === null || offset < this.next) continue;
      const bytes = (message.value?.length ?? 0) + (message.key?.length ?? 0) + 200;
      this.queue.push({ message, bytes, wanted: offset > this.next ? this.next : null });
      this.bytes += bytes;
      this.next = offset + 1;
    }
    if (this.next !== null) this.next = Math.max(this.next, end);
    this.hole = null;
    this.pump();
  }

  pump(): void {
    if (this.isClosed || this.queue.length === 0 || this.isHeldBack) return;
    this.working ??= this.work().finally(() => {
      this.working = null;
      // Messages that came while the last round ended.
      this.pump();
    });
  }

  /** Nothing is delivered any more; resolves when the call that is under way has. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.wake();
    await this.working;
  }

  private get isHeldBack(): boolean {
    return this.holds.has('owner') || this.holds.has('assigning');
  }

  private async work(): Promise<void> {
    while (!this.isClosed && this.queue.length > 0 && !this.isHeldBack) {
      const { generation, topic, partition } = this;
      const head = this.queue[0]!;
      const { wanted } = head;
      if (wanted !== null) {
        const tell = () => this.hooks.skipped({ topic, partition }, wanted, Number(head.message.offset));
        if (await this.persist(tell, generation)) head.wanted = null;
        continue;
      }
      const chunk = this.queue.splice(0, this.unbroken());
      const messages = chunk.map(({ message }) => decodeMessage(topic, partition, message));
      const isDone = await this.persist(() => this.hooks.deliver({ topic, partition }, messages), generation);
      if (!isDone || generation !== this.generation) continue;
      this.delivered = messages.at(-1)!.offset + 1;
      for (const { bytes } of chunk) this.bytes -= bytes;
      this.hooks.changed(this);
    }
  }

  /** How many messages follow each other without a hole, at most one delivery. */
  private unbroken(): number {
    const most = Math.min(this.queue.length, MOST_MESSAGES);
    let count = 1;
    while (count < most && this.queue[count]!.wanted === null) count += 1;
    return count;
  }

  /** Until it has been done, the position was moved, or the shard is no longer ours. */
  private async persist(work: () => Promise<void>, generation: number): Promise<boolean> {
    for (let failures = 0; !this.isClosed && generation === this.generation;) {
      try {
        await work();
        return true;
      } catch (error) {
        failures += 1;
        this.hooks.onError(error, this);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(LONGEST_RETRY_MS, 50 * 2 ** Math.min(failures, 5)));
          this.wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
    return false;
  }
}
