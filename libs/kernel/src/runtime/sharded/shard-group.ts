import type { TopicName } from '@moon/events';
import { asError } from '../../core/as-error';
import {
  isRefused,
  type BusConsumer,
  type BusListener,
  type BusMessage,
  type BusPartition,
  type BusPosition,
  type RefusedMessage,
} from '../../ports/bus';
import { ShardLost } from '../../ports/journal';
import { Attempts, type BrokenShard } from './attempts';
import { GroupCheckpoints } from './group-checkpoints';
import { slotOf } from './message-buffer';
import { PastClosed, type Shard } from './shard';
import type { ShardOptions } from './shard-options';
import type { BroadcastHearer, SharedBroadcast } from './shared-broadcast';

export interface ShardGroupOptions {
  /** The consumer group. */
  name: string;
  /** Number of shards; a divisor of the partitions of every keyed topic. */
  shards: number;
  /** Brings the keyed topics of the shards that are this member's. */
  consumer: BusConsumer;
  keyed: readonly TopicName[];
  /** Brings every partition of the topics that all shards hear, to the other groups of the process, too. */
  broadcast?: { line: SharedBroadcast; topics: readonly TopicName[] };
  /** Opens a shard; what is `of` the group is to be its own. */
  open: (shard: number, of: Required<Pick<ShardOptions, 'onEnd' | 'caughtUp'>>) => Promise<Shard>;
  /** Keeps what could not be read, before the position moves on. */
  onRefused: (message: RefusedMessage) => Promise<void>;
  /** Stored messages of one partition, where the broker keeps them no more (rule 27); offsets from `from` to below `to`. */
  fill: (partition: BusPartition, from: number, to: number) => AsyncIterable<BusMessage>;
  /** Wall time between checkpoints, ms. */
  checkpointMs: number;
  onProblem: (message: string, context: Record<string, unknown>) => void;
  /** Which errors pass by themselves: a shard that broke by one is opened again. */
  isTransient?: (error: unknown) => boolean;
  /** A shard broke by what does not pass by itself: it stands still, the others go on. It is tried again after `pauseMs`. */
  onBroken: (shard: number, error: Error, pauseMs: number) => void;
  /**
   * Pause before a shard that was lost, but is still this member's, is opened again, wall ms. Of one that broke, the pause
   * doubles with each attempt.
   */
  reopenMs?: number;
  /** How long deadlines wait for brokers that say and bring nothing, wall ms; default 10 s: see ADR 0050. */
  patienceMs?: number;
}

const REOPEN_MS = 1_000;
/** Longer than a broker's leaders are away when it dies, three times over. */
const PATIENCE_MS = 10_000;
/** How often it is looked whether shards have room for more of what the store fills in, wall ms. */
const ROOM_LOOK_MS = 50;
/** Stored messages that are handed over at a time. */
const FILL_BATCH = 1_000;

/** The shards of one consumer group that this process holds: opened, fed, checkpointed and let go as the broker assigns them. */
export class ShardGroup {
  private readonly held = new Map<number, Shard>();
  /**
   * Where each shard wants what is broadcast to begin, as long as it has not. The consumer was asked to go back there, but
   * what it had under way for the others still comes: taken by this shard, it would leave a hole.
   */
  private readonly wanted = new Map<Shard, Map<string, number>>();
  private assigned = new Set<number>();
  private readonly hearer: BroadcastHearer;
  private timer: NodeJS.Timeout | null = null;
  private isStopped = false;
  private readonly attempts = new Attempts((shard) => void this.open(shard));
  private readonly opening = new Set<number>();
  private readonly checkpoints: GroupCheckpoints;

  constructor(private readonly options: ShardGroupOptions) {
    const { messages, expired } = this.listener((heard) => this.toAll(heard));
    const topics = options.broadcast?.topics ?? [];
    this.hearer = {
      ...{ topics, messages, expired },
      earliest: (partition) => this.earliest(partition),
      awaits: (partition) => this.shards.some((shard) => shard.awaits(partition)),
    };
    options.broadcast?.line.add(this.hearer);
    this.checkpoints = new GroupCheckpoints({
      shards: () => this.shards,
      commit: async (positions) => {
        const keyed = positions.filter(({ topic }) => !topics.includes(topic));
        if (keyed.length > 0) await options.consumer.commit(keyed);
      },
      onProblem: (message, context) => options.onProblem(message, { group: options.name, ...context }),
    });
  }

  get name(): string {
    return this.options.name;
  }

  /** Shards that this process holds. */
  get shards(): readonly Shard[] {
    return [...this.held.values()];
  }

  /** True when every shard that is this member's handles live messages. */
  get isLive(): boolean {
    return this.held.size === this.assigned.size && this.shards.every((shard) => shard.isLive);
  }

  /** Shards that stand still, because they broke and have not been live since. */
  get broken(): readonly BrokenShard[] {
    return this.attempts.broken.filter(
      ({ shard }) => this.assigned.has(shard) && this.held.get(shard)?.isLive !== true,
    );
  }

  async start(): Promise<void> {
    const { consumer, broadcast, checkpointMs } = this.options;
    await broadcast?.line.start();
    await consumer.start(this.listener((messages) => this.toOwner(messages)));
    this.timer = setInterval(() => void this.checkpoint(), checkpointMs);
    this.timer.unref();
  }

  /** Stores where every shard stands, and tells the broker. */
  checkpoint(): Promise<void> {
    return this.checkpoints.take();
  }

  /** Finishes what is under way, stores it, and leaves the group. */
  async stop(): Promise<void> {
    this.isStopped = true;
    if (this.timer) clearInterval(this.timer);
    this.attempts.stop();
    await this.letGo([...this.held.keys()]);
    await this.options.consumer.stop();
    await this.options.broadcast?.line.leave(this.hearer);
  }

  private listener(route: (messages: readonly BusMessage[]) => Promise<void>): BusListener {
    return {
      assigned: (shards) => this.take(shards),
      revoked: async (shards) => {
        for (const shard of shards) {
          this.assigned.delete(shard);
          this.attempts.forget(shard);
        }
        await this.letGo(shards);
      },
      messages: async (_from, messages) => {
        // One that is refused counts as heard: a shard may begin with it.
        for (const shard of this.shards) this.hasBegun(shard, messages[0]);
        let good: BusMessage[] = [];
        for (const message of messages) {
          if (!isRefused(message)) {
            good.push(message);
            continue;
          }
          // In order: what came before it is taken before it is put aside.
          await route(good);
          good = [];
          await this.options.onRefused(message);
        }
        await route(good);
      },
      expired: (from, wanted, first) => this.fill(from, wanted, first, route),
    };
  }

  private async take(shards: readonly number[]): Promise<void> {
    for (const shard of shards) this.assigned.add(shard);
    await Promise.all(shards.map((shard) => this.open(shard)));
  }

  private async open(index: number): Promise<void> {
    if (this.held.has(index) || this.opening.has(index) || !this.assigned.has(index) || this.isStopped) return;
    this.attempts.cancel(index);
    this.opening.add(index);
    let shard: Shard | null = null;
    let isOver = false;
    try {
      shard = await this.options.open(index, {
        onEnd: (error) => {
          isOver = true;
          this.ended(index, shard, error);
        },
        caughtUp: () => this.caughtUp(index),
      });
      this.opening.delete(index);
      // It has ended before anybody could hold it, and is opened again.
      if (!isOver) await this.hold(index, shard);
      else if (!this.attempts.isWaiting(index)) this.attempts.later(index, this.options.reopenMs ?? REOPEN_MS);
    } catch (thrown) {
      this.opening.delete(index);
      this.ended(index, shard, asError(thrown));
    }
  }

  private async hold(index: number, shard: Shard): Promise<void> {
    if (this.held.has(index) || !this.assigned.has(index) || this.isStopped) {
      // Revoked while it was being opened.
      await this.checkpoints.saved(() => shard.close());
      return;
    }
    const { consumer, broadcast } = this.options;
    // Without a checkpoint from the beginning, whatever was delivered before: its journal may name any of it.
    const own = this.partitionsOf(index);
    const wanted = new Map<string, number>();
    for (const partition of [...(broadcast?.line.partitions(broadcast.topics) ?? []), ...own])
      wanted.set(slotOf(partition), shard.position(partition) ?? 0);
    this.wanted.set(shard, wanted);
    this.held.set(index, shard);
    shard.ready.then(
      () => this.attempts.noteLive(index),
      () => undefined,
    );
    for (const partition of own) consumer.seek({ ...partition, offset: shard.position(partition) ?? 0 });
    broadcast?.line.seek(broadcast.topics);
  }

  private partitionsOf(index: number): BusPartition[] {
    const { consumer, keyed, shards } = this.options;
    return consumer.partitions(keyed).filter(({ partition }) => partition % shards === index);
  }

  /** Resolves when the shard, once it is held, has been given what the brokers had for it at the call. */
  private async caughtUp(index: number): Promise<void> {
    const { consumer, broadcast, patienceMs = PATIENCE_MS } = this.options;
    await Promise.all([
      consumer.caughtUp(this.partitionsOf(index), patienceMs),
      broadcast?.line.caughtUp(broadcast.topics, patienceMs),
    ]);
  }

  private earliest(partition: BusPartition): number {
    return this.shards.reduce((low, shard) => Math.min(low, shard.position(partition) ?? 0), Infinity);
  }

  /** False while a shard still waits for what it wants to begin with. */
  private hasBegun(shard: Shard, first: BusPosition | undefined): boolean {
    const wanted = this.wanted.get(shard);
    if (!first) return true;
    const from = wanted?.get(slotOf(first));
    if (from !== undefined && first.offset > from) return false;
    wanted?.delete(slotOf(first));
    return true;
  }

  /** A shard of this process can go on no more. One that somebody else took is opened again if the broker still says it is ours. */
  private ended(index: number, shard: Shard | null, error: Error): void {
    const { name, onProblem, onBroken, broadcast, reopenMs = REOPEN_MS } = this.options;
    const wasHeld = shard !== null && this.held.get(index) === shard;
    if (wasHeld) this.held.delete(index);
    if (shard) this.wanted.delete(shard);
    // What it had taken back to its own position goes on where the others are.
    if (wasHeld) broadcast?.line.seek(broadcast.topics);
    if (!this.assigned.has(index) || this.isStopped) return;
    const [isLost, isPast] = [error instanceof ShardLost, error instanceof PastClosed];
    if (!isLost && !isPast && !(this.options.isTransient?.(error) ?? false)) {
      // It concerns this shard alone: its messages stay on the broker until it can be opened.
      onBroken(index, error, this.attempts.afterBreak(index, error, reopenMs, wasHeld));
      return;
    }
    const reason = isLost ? 'was taken over by another instance' : isPast ? 'has other settings now' : 'broke';
    onProblem(`a shard ${reason} and is opened again`, { group: name, shard: index, error: error.message });
    this.attempts.later(index, isPast ? 0 : reopenMs);
  }

  private async letGo(shards: readonly number[]): Promise<void> {
    await Promise.all(
      shards.map(async (index) => {
        const shard = this.held.get(index);
        this.held.delete(index);
        if (shard) this.wanted.delete(shard);
        if (shard) await this.checkpoints.commit(await this.checkpoints.saved(() => shard.close()));
      }),
    );
  }

  private async toOwner(messages: readonly BusMessage[]): Promise<void> {
    const [first] = messages;
    if (!first) return;
    const shard = this.held.get(first.partition % this.options.shards);
    if (shard) await this.give(shard, messages);
  }

  private async toAll(messages: readonly BusMessage[]): Promise<void> {
    await Promise.all(this.shards.map((shard) => this.give(shard, messages)));
  }

  private async give(shard: Shard, messages: readonly BusMessage[]): Promise<void> {
    const [first] = messages;
    if (!first || !this.hasBegun(shard, first)) return;
    await shard.take(messages);
    if (!shard.isHeld(first)) return;
    // Its journal waits for other partitions: this one brings no more until there is room for it.
    const { consumer, broadcast } = this.options;
    const line = broadcast?.topics.includes(first.topic) ? broadcast.line : null;
    if (line) line.pause(first);
    else consumer.pause([first]);
    void shard.room(first).then(() => (line ? line.resume(first) : consumer.resume([first])));
  }

  private async fill(
    from: BusPartition,
    wanted: number,
    first: number,
    route: (messages: readonly BusMessage[]) => Promise<void>,
  ): Promise<void> {
    const needing = this.shards.filter((shard) => (shard.position(from) ?? first) < first);
    // A shard that has read nothing of it begins with the oldest that there is.
    for (const shard of this.shards) {
      const slot = slotOf(from);
      const begin = this.wanted.get(shard)?.get(slot);
      if (begin !== undefined && begin < first && !needing.includes(shard)) this.wanted.get(shard)?.set(slot, first);
    }
    if (needing.length === 0) return;
    this.options.onProblem('the broker keeps these messages no more, the store fills them in', {
      group: this.name,
      ...{ topic: from.topic, partition: from.partition, wanted, first },
    });
    const batch: BusMessage[] = [];
    let isFirst = true;
    for await (const message of this.options.fill(from, wanted, first)) {
      if (isFirst) this.beginNoEarlier(needing, message);
      isFirst = false;
      batch.push(message);
      if (batch.length < FILL_BATCH) continue;
      await route(batch.splice(0));
      // The store has no partition that could be paused.
      while (needing.some((shard) => shard.isHeld(from)) && !this.options.broadcast?.line.isAwaited(from))
        await new Promise((resolve) => setTimeout(resolve, ROOM_LOOK_MS));
    }
    if (batch.length > 0) await route(batch);
    this.beginNoEarlier(needing, { ...from, offset: first });
  }

  /** What the store does not have either is nowhere: a shard that would begin with just that waits for it no more. */
  private beginNoEarlier(shards: readonly Shard[], first: BusPosition): void {
    for (const shard of shards) {
      const wanted = this.wanted.get(shard);
      if ((wanted?.get(slotOf(first)) ?? first.offset) < first.offset) wanted?.set(slotOf(first), first.offset);
    }
  }
}
