import { CATALOG, TOPICS, type AnyEvent, type TopicName } from '@moon/events';
import {
  isRefused,
  PublisherStopped,
  type BusConsumer,
  type BusListener,
  type BusMessage,
  type BusPartition,
  type BusPosition,
  type EventPublisher,
  type RefusedMessage,
} from '../ports/bus';

/** A broker in memory, for tests: topics of the catalog, offsets, groups of one member a consumer. */
export class MemoryBus {
  private readonly partitions = new Map<string, (BusMessage | RefusedMessage)[]>();
  private readonly committed = new Map<string, number>();
  private readonly consumers = new Set<MemoryConsumer>();
  private isSilent = false;

  /** @param counts partitions of topics that have another number of them than the catalog says */
  constructor(private readonly counts: Partial<Record<TopicName, number>> = {}) {}

  publisher(): EventPublisher {
    let isStopped = false;
    return {
      backlog: 0,
      publish: async (events, producer) => {
        await Promise.resolve();
        if (isStopped) throw new PublisherStopped(events.length);
        for (const event of events) this.append(event, producer ?? null);
      },
      stop: () => {
        isStopped = true;
        return Promise.resolve();
      },
    };
  }

  /** Puts a message at the end of its partition, whether it is there already or not. */
  append(event: AnyEvent, producer: string | null = null): void {
    const { topic } = CATALOG[event.type];
    const partition = partitionOf(event.key, this.count(topic));
    this.put({ topic, partition, event: structuredClone(event), producer });
  }

  /** Puts a message, which need not be an event, at the end of its partition. */
  put(message: Omit<BusMessage, 'offset'> | Omit<RefusedMessage, 'offset'>): void {
    const list = this.list(message);
    list.push({ ...message, offset: list.length });
    for (const consumer of this.consumers) consumer.wake();
  }

  get isAway(): boolean {
    return this.isSilent;
  }

  /** While it is away, what is appended lies here and nobody is brought anything. */
  set isAway(isAway: boolean) {
    this.isSilent = isAway;
    if (!isAway) for (const consumer of this.consumers) consumer.wake();
  }

  /** Number of partitions of a topic. */
  count(topic: TopicName): number {
    return this.counts[topic] ?? TOPICS[topic].partitions;
  }

  /** Every event on the topics of the catalog, topic by topic. */
  messages(topic?: TopicName): BusMessage[] {
    return [...this.partitions.values()]
      .flat()
      .filter((message): message is BusMessage => !isRefused(message))
      .filter((message) => topic === undefined || message.topic === topic);
  }

  list({ topic, partition }: BusPartition): (BusMessage | RefusedMessage)[] {
    const slot = `${topic}/${partition}`;
    let list = this.partitions.get(slot);
    if (!list) this.partitions.set(slot, (list = []));
    return list;
  }

  /**
   * A consumer of all partitions of some topics.
   * @param assigned the shards that it tells its listener are its own
   */
  consumer(group: string, topics: readonly TopicName[], assigned: readonly number[] = []): MemoryConsumer {
    const consumer = new MemoryConsumer(this, { group, topics, assigned }, this.committed, (isOn) => {
      if (isOn) this.consumers.add(consumer);
      else this.consumers.delete(consumer);
    });
    return consumer;
  }
}

interface Membership {
  group: string;
  topics: readonly TopicName[];
  assigned: readonly number[];
}

/** Delivers partition by partition, each in its order, a few messages at a time. */
export class MemoryConsumer implements BusConsumer {
  private readonly next = new Map<string, BusPosition>();
  private readonly paused = new Set<string>();
  private listener: BusListener | null = null;
  private running: Promise<void> = Promise.resolve();
  private isWoken = false;
  private isStarted = false;
  private isKilled = false;
  /** Whose offset has moved on while its messages are being handled. */
  private delivering: string | null = null;

  constructor(
    private readonly bus: MemoryBus,
    private readonly membership: Membership,
    private readonly committed: Map<string, number>,
    private readonly register: (isOn: boolean) => void,
  ) {}

  async start(listener: BusListener): Promise<void> {
    const { group, topics, assigned } = this.membership;
    this.isStarted = true;
    for (const { topic, partition } of this.partitions(topics)) {
      const slot = `${topic}/${partition}`;
      this.next.set(slot, { topic, partition, offset: this.committed.get(`${group} ${slot}`) ?? 0 });
    }
    this.register(true);
    await listener.assigned(assigned);
    this.listener = listener;
    this.wake();
  }

  partitions(topics: readonly TopicName[]): BusPartition[] {
    const own = topics.filter((topic) => this.isStarted && this.membership.topics.includes(topic));
    return own.flatMap((topic) =>
      Array.from({ length: this.bus.count(topic) }, (_, partition) => ({ topic, partition })),
    );
  }

  seek(to: BusPosition): void {
    this.next.set(`${to.topic}/${to.partition}`, { ...to });
    this.wake();
  }

  commit(next: readonly BusPosition[]): Promise<void> {
    for (const { topic, partition, offset } of next)
      this.committed.set(`${this.membership.group} ${topic}/${partition}`, offset);
    return Promise.resolve();
  }

  pause(partitions: readonly BusPartition[]): void {
    for (const { topic, partition } of partitions) this.paused.add(`${topic}/${partition}`);
  }

  resume(partitions: readonly BusPartition[]): void {
    for (const { topic, partition } of partitions) this.paused.delete(`${topic}/${partition}`);
    this.wake();
  }

  async caughtUp(partitions: readonly BusPartition[], patienceMs: number): Promise<boolean> {
    const ends = partitions.map((partition) => ({ ...partition, offset: this.bus.list(partition).length }));
    const isBehind = ({ topic, partition, offset }: BusPosition): boolean => {
      const slot = `${topic}/${partition}`;
      return slot === this.delivering || (this.next.get(slot)?.offset ?? 0) < offset;
    };
    for (const end = performance.now() + patienceMs; performance.now() < end && !this.isKilled;) {
      if (!this.bus.isAway && !ends.some(isBehind)) return true;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return false;
  }

  lag(): Partial<Record<TopicName, number>> {
    const lags: Partial<Record<TopicName, number>> = {};
    for (const position of this.next.values()) {
      lags[position.topic] = (lags[position.topic] ?? 0) + this.bus.list(position).length - position.offset;
    }
    return lags;
  }

  /**
   * Loses its place in its group and gets it again: it knows no position any more but what the group has committed.
   * @param meanwhile runs while it has none
   */
  async expel(meanwhile: () => void): Promise<void> {
    const { group, assigned } = this.membership;
    const { listener } = this;
    if (!listener) throw new Error('The consumer was not started.');
    this.listener = null;
    await this.running;
    await listener.revoked(assigned);
    meanwhile();
    for (const [slot, { topic, partition }] of this.next) {
      const offset = this.committed.get(`${group} ${slot}`) ?? this.bus.list({ topic, partition }).length;
      this.next.set(slot, { topic, partition, offset });
    }
    await listener.assigned(assigned);
    this.listener = listener;
    this.wake();
  }

  /** Stops without a word, as a killed process does. */
  kill(): void {
    this.isKilled = true;
    this.listener = null;
    this.register(false);
  }

  async stop(): Promise<void> {
    this.kill();
    await this.running;
  }

  wake(): void {
    if (this.isWoken || !this.listener) return;
    this.isWoken = true;
    this.running = this.running.then(async () => {
      this.isWoken = false;
      await this.deliver();
    });
  }

  private async deliver(): Promise<void> {
    for (const [slot, position] of this.next) {
      const list = this.bus.list(position);
      while (this.listener && !this.bus.isAway && !this.paused.has(slot) && position.offset < list.length) {
        const messages = structuredClone(list.slice(position.offset, position.offset + 10));
        position.offset += messages.length;
        const from = { topic: position.topic, partition: position.partition };
        this.delivering = slot;
        await this.listener.messages(from, messages);
        this.delivering = null;
        // A seek replaced the position meanwhile: its own turn comes.
        if (this.next.get(slot) !== position) break;
      }
    }
  }
}

/** A partition for a key; every run of the same key gives the same. */
export function partitionOf(key: string, partitions: number): number {
  let hash = 7;
  for (const character of key) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 2_147_483_647;
  return hash % partitions;
}
