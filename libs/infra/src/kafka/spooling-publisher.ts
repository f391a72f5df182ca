import { CATALOG, type AnyEvent } from '@moon/events';
import { PublisherStopped, type EventPublisher } from '@moon/kernel';
import type { PublishTrouble } from './record-sender';
import { Spool, type SpoolOptions } from './spool';

/** A publisher that says when it is away, as KafkaPublisher does. */
export interface AwayPublisher extends EventPublisher {
  readonly isAway: boolean;
}

export interface AwayHooks {
  onTrouble: (trouble: PublishTrouble) => void;
  onRecovered: () => void;
}

export interface SpoolingOptions {
  spool: SpoolOptions;
  /** Makes the publisher behind, which calls these. */
  publisher: (hooks: AwayHooks) => AwayPublisher;
  /** The spool is full, or has room again: whoever feeds is to pause and to go on. */
  feed: { pause: () => void; resume: () => void };
  onTrouble?: (problem: string) => void;
}

interface Waiting {
  events: readonly AnyEvent[];
  resolve: () => void;
  reject: (error: Error) => void;
  isSpooled: boolean;
}

const CHUNK = 500;
const RETRY_MS = 500;

/**
 * For feeds only (rule 26): while the broker is away their events go to the disk and count as taken; when it is back they
 * follow in their order. A key with an event on the disk blocks its successors: they queue behind it.
 */
export class SpoolingPublisher implements EventPublisher {
  /** Events of a key that are on the disk or on their way there. */
  private readonly blocked = new Map<string, number>();
  private readonly inner: AwayPublisher;
  private spool!: Spool;
  private readonly pending = new Set<Waiting>();
  private chain: Promise<void> = Promise.resolve();
  private draining: Promise<void> | null = null;
  private isPaused = false;
  private isStopped = false;
  private freed: () => void = () => undefined;

  private constructor(private readonly options: SpoolingOptions) {
    this.inner = options.publisher({ onTrouble: () => this.away(), onRecovered: () => this.drain() });
  }

  /** Opens the spool; what an earlier process left in it is published first. */
  static async open(options: SpoolingOptions): Promise<SpoolingPublisher> {
    const publisher = new SpoolingPublisher(options);
    publisher.spool = await Spool.open({ ...options.spool, nameOf }, (event) => publisher.block(nameOf(event), 1));
    publisher.drain();
    return publisher;
  }

  get backlog(): number {
    return this.inner.backlog + this.spool.size;
  }

  /** Events and bytes on the disk, and how many events could not be read back from it. */
  get spooled(): { events: number; bytes: number; lost: number } {
    return { events: this.spool.size, bytes: this.spool.bytes, lost: this.spool.lost };
  }

  /** Resolves when every replica in sync holds them, or the disk. */
  async publish(events: readonly AnyEvent[]): Promise<void> {
    if (this.isStopped) throw new PublisherStopped(events.length);
    const isAway = this.inner.isAway;
    const direct: AnyEvent[] = [];
    const toDisk: AnyEvent[] = [];
    for (const event of events) (isAway || this.blocked.has(nameOf(event)) ? toDisk : direct).push(event);
    await Promise.all([this.send(direct), this.store(toDisk)]);
  }

  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    this.freed();
    await this.inner.stop();
    await this.draining;
    await this.chain;
    await this.spool.close();
  }

  private send(events: readonly AnyEvent[]): Promise<void> {
    if (events.length === 0) return Promise.resolve();
    return new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { events, resolve, reject, isSpooled: false };
      this.pending.add(waiting);
      this.inner
        .publish(events)
        // Once it is on its way to the disk, the disk answers for it.
        .then(resolve, (error: Error) => (waiting.isSpooled ? undefined : reject(error)))
        .finally(() => this.pending.delete(waiting));
    });
  }

  /** What is under way goes to the disk as well: it must not be lost while its successors are kept. */
  private away(): void {
    for (const waiting of this.pending) {
      if (waiting.isSpooled) continue;
      waiting.isSpooled = true;
      void this.store(waiting.events).then(waiting.resolve, waiting.reject);
    }
  }

  private store(events: readonly AnyEvent[]): Promise<void> {
    if (events.length === 0) return Promise.resolve();
    for (const event of events) this.block(nameOf(event), 1);
    const stored = this.chain.then(() => this.append(events));
    this.chain = stored.catch(() => undefined);
    return stored.finally(() => this.drain());
  }

  private async append(events: readonly AnyEvent[]): Promise<void> {
    for (;;) {
      await this.room();
      if (this.isStopped) {
        for (const event of events) this.block(nameOf(event), -1);
        throw new PublisherStopped(events.length);
      }
      try {
        await this.spool.append(events);
        return;
      } catch (error) {
        this.options.onTrouble?.(
          `The spool cannot be written: ${error instanceof Error ? error.message : String(error)}`,
        );
        this.pauseFeed();
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Waits until the spool has room, and has the feed pause meanwhile. */
  private async room(): Promise<void> {
    while (this.spool.isFull && !this.isStopped) {
      this.pauseFeed();
      await new Promise<void>((resolve) => (this.freed = resolve));
    }
  }

  private pauseFeed(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.options.feed.pause();
  }

  private drain(): void {
    if (this.draining !== null || this.isStopped || this.inner.isAway || this.spool.size === 0) return;
    this.draining = this.drainAll()
      .catch((error: unknown) => {
        if (error instanceof PublisherStopped) return;
        this.options.onTrouble?.(`The spool is not emptied: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => {
        this.draining = null;
      });
  }

  private async drainAll(): Promise<void> {
    for (let segment = await this.spool.head(); segment !== null; segment = await this.spool.head()) {
      for (let at = 0; at < segment.events.length; at += CHUNK) {
        await this.inner.publish(segment.events.slice(at, at + CHUNK));
      }
      await segment.remove();
      for (const [name, count] of segment.names) this.block(name, -count);
      this.freed();
      if (this.isPaused && !this.spool.isFull) {
        this.isPaused = false;
        this.options.feed.resume();
      }
    }
  }

  private block(name: string, change: number): void {
    const count = (this.blocked.get(name) ?? 0) + change;
    if (count > 0) this.blocked.set(name, count);
    else this.blocked.delete(name);
  }
}

/** What orders an event: its topic and key. */
const nameOf = ({ type, key }: AnyEvent): string => `${CATALOG[type].topic}\n${key}`;
