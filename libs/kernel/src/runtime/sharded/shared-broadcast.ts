import { BUSIEST_TOPIC, type TopicName } from '@moon/events';
import type { BusConsumer, BusListener, BusPartition } from '../../ports/bus';
import { slotOf } from './message-buffer';

/** The shards of one group, as what they hear whole is brought to them. */
export interface BroadcastHearer extends Pick<BusListener, 'messages' | 'expired'> {
  readonly topics: readonly TopicName[];
  /** Offset at which the shard reads on that is furthest behind; Infinity while there is none. */
  earliest(partition: BusPartition): number;
  /** True while one of its shards cannot go on without the next of this partition. */
  awaits(partition: BusPartition): boolean;
}

/** A partition that somebody asked no more of. */
interface Paused {
  readonly partition: BusPartition;
  count: number;
  /** False while it is brought all the same. */
  isHeld: boolean;
}

/** How often it is looked whether somebody waits for what is paused, wall ms. */
const LOOK_MS = 100;

/**
 * The consumers of a process (one for the busiest topic, one for the others) that brings whole topics to all of its groups: a broker is asked once for what everybody hears,
 * not once for each group. It goes back to where the shard that is furthest behind reads on; the others pass over what they had.
 */
export class SharedBroadcast {
  private readonly hearers = new Set<BroadcastHearer>();
  private readonly pauses = new Map<string, Paused>();
  private looking: NodeJS.Timeout | null = null;
  private readonly consumers = new Map<TopicName, BusConsumer>();
  private started: Promise<void> | null = null;

  /** @param open makes the consumer of these topics, not started */
  constructor(private readonly open: (topics: readonly TopicName[]) => BusConsumer) {}

  /** Before the first start: what is to be read is what all of them hear. */
  add(hearer: BroadcastHearer): void {
    if (this.started) throw new Error('The broadcast is read already: groups are added before the first one starts.');
    this.hearers.add(hearer);
  }

  /** Resolves when it is read; the first call begins it. */
  start(): Promise<void> {
    this.started ??= this.begin();
    return this.started;
  }

  /** Every partition of these topics; none before they are read. */
  partitions(topics: readonly TopicName[]): BusPartition[] {
    return topics.flatMap((topic) => this.consumers.get(topic)?.partitions([topic]) ?? []);
  }

  /** Moves what these topics are read from, after a group has taken on a shard. */
  seek(topics: readonly TopicName[]): void {
    for (const partition of this.partitions(topics)) {
      const offset = this.heardBy(partition).reduce(
        (low, hearer) => Math.min(low, hearer.earliest(partition)),
        Infinity,
      );
      if (offset !== Infinity) this.consumers.get(partition.topic)?.seek({ ...partition, offset });
    }
  }

  /**
   * Brings no more of a partition until everybody who paused it has resumed it as often. While a shard cannot go on without
   * it, it is brought all the same: that shard may hold what those wait for who paused it.
   */
  pause({ topic, partition }: BusPartition): void {
    const slot = slotOf({ topic, partition });
    const paused = this.pauses.get(slot) ?? { partition: { topic, partition }, count: 0, isHeld: false };
    paused.count += 1;
    this.pauses.set(slot, paused);
    this.weigh(paused);
    this.looking ??= setInterval(() => this.pauses.forEach((one) => this.weigh(one)), LOOK_MS).unref();
  }

  resume(partition: BusPartition): void {
    const paused = this.pauses.get(slotOf(partition));
    if (!paused) return;
    paused.count -= 1;
    if (paused.count > 0) return;
    this.weigh(paused);
    this.pauses.delete(slotOf(partition));
    if (this.pauses.size > 0 || !this.looking) return;
    clearInterval(this.looking);
    this.looking = null;
  }

  /** True while a shard of this process cannot go on without the next of this partition. */
  isAwaited(partition: BusPartition): boolean {
    return this.heardBy(partition).some((hearer) => hearer.awaits(partition));
  }

  /** See `BusConsumer`; every partition of these topics. */
  async caughtUp(topics: readonly TopicName[], patienceMs: number): Promise<void> {
    const consumers = [...new Set(this.consumers.values())];
    await Promise.all(consumers.map((consumer) => consumer.caughtUp(consumer.partitions(topics), patienceMs)));
  }

  /** Offsets between what was delivered and the end, of these topics. */
  lag(topics: readonly TopicName[]): Readonly<Partial<Record<TopicName, number>>> {
    const all = [...new Set(this.consumers.values())].map((consumer) => consumer.lag());
    const lags = Object.entries(Object.assign({}, ...all) as Record<TopicName, number>);
    return Object.fromEntries(lags.filter(([topic]) => topics.includes(topic as TopicName)));
  }

  /** The group hears no more; with the last one the consumers end. */
  async leave(hearer: BroadcastHearer): Promise<void> {
    if (!this.hearers.delete(hearer) || this.hearers.size > 0) return;
    await all([...new Set(this.consumers.values())].map((consumer) => consumer.stop()));
  }

  private async begin(): Promise<void> {
    const topics = [...new Set([...this.hearers].flatMap((hearer) => hearer.topics))];
    const isBusiest = (topic: TopicName): boolean => topic === BUSIEST_TOPIC;
    const parts = [topics.filter(isBusiest), topics.filter((topic) => !isBusiest(topic))];
    await all(parts.filter(({ length }) => length > 0).map((part) => this.read(part)));
  }

  private async read(topics: readonly TopicName[]): Promise<void> {
    const consumer = this.open(topics);
    for (const topic of topics) this.consumers.set(topic, consumer);
    await consumer.start({
      // Also after it was expelled from its own group and came back: it knows no position by itself.
      assigned: () => Promise.resolve(this.seek(topics)),
      // Everybody hears everything: what the broker calls its shards says nothing of ours.
      revoked: () => Promise.resolve(),
      messages: async (from, messages) => {
        await all(this.heardBy(from).map((hearer) => hearer.messages(from, messages)));
      },
      expired: async (from, wanted, first) => {
        await all(this.heardBy(from).map((hearer) => hearer.expired(from, wanted, first)));
      },
    });
  }

  private weigh(paused: Paused): void {
    const { partition, count } = paused;
    const isHeld = count > 0 && !this.isAwaited(partition);
    if (isHeld === paused.isHeld) return;
    paused.isHeld = isHeld;
    const consumer = this.consumers.get(partition.topic);
    if (isHeld) consumer?.pause([partition]);
    else consumer?.resume([partition]);
  }

  private heardBy({ topic }: BusPartition): BroadcastHearer[] {
    return [...this.hearers].filter(({ topics }) => topics.includes(topic));
  }
}

/** Waits for all of them, also when one fails: its calls are repeated, and must not overlap with those of others. */
async function all(calls: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(calls)) if (result.status === 'rejected') throw result.reason;
}
