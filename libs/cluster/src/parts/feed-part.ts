import { join } from 'node:path';
import type { AnyEvent } from '@moon/events';
import { KafkaConsumer, KafkaPublisher, publisherSamples, sample, SpoolingPublisher, type Sample } from '@moon/infra';
import type { Feed } from '@moon/kernel';
import { FEED_GROUP } from '../connections';
import type { Part, PartContext } from '../process';

/** A topic with one partition: whoever is assigned it runs the feed. Nothing of it is read. */
const FEED_TOKEN_TOPIC = 'instruments.listed';
/** Events on their way at which the feed is held back. */
const HIGH_WATER = 20_000;
/** Newest ticks of a log from which a feed that is made up goes on. */
const TICKS_TO_RESUME = 2_000;

export interface FeedPartOptions {
  /** Makes the feed that goes on after the newest ticks of the log. */
  open: (newest: readonly AnyEvent[]) => Promise<Feed>;
  context: PartContext;
}

/**
 * A market feed, whose events go to the broker and nowhere else; while the broker is away they go to the disk. Of all
 * processes that could run it one does: the one that the brokers gave the feed's group to.
 */
export class FeedPart implements Part {
  readonly name = FEED_GROUP;
  private readonly election: KafkaConsumer;
  private publisher: SpoolingPublisher | null = null;
  private toBrokers: KafkaPublisher | null = null;
  private feed: Feed | null = null;
  private isStarted = false;
  private underWay = 0;
  private isPaused = false;
  private isSpoolFull = false;
  private readonly counts = { published: 0, refused: 0, pauses: 0 };

  constructor(private readonly options: FeedPartOptions) {
    const { config, logger, contracts } = options.context.connections;
    this.election = new KafkaConsumer({
      settings: config.kafka,
      logger,
      groupId: FEED_GROUP,
      contracts,
      topics: [FEED_TOKEN_TOPIC],
      shards: 1,
      from: 'end',
    });
  }

  async start(): Promise<void> {
    const { config, logger, emitted, metrics } = this.options.context.connections;
    this.publisher = await SpoolingPublisher.open({
      spool: {
        directory: join(config.dataDir, 'spool'),
        onDropped: (problem) => logger.error(problem),
      },
      publisher: (hooks) =>
        (this.toBrokers = new KafkaPublisher({
          ...{ settings: config.kafka, logger, ...hooks },
          wire: (event) => emitted.wire(emitted.settle(event)),
          onAcknowledged: (ms) => metrics.time('moon_publish_acknowledged_seconds', ms, { publisher: 'feed' }),
        })),
      feed: {
        pause: () => this.hold({ isSpoolFull: true }),
        resume: () => this.hold({ isSpoolFull: false }),
      },
      onTrouble: (problem) => logger.error(problem),
    });
    const nothing = (): Promise<void> => Promise.resolve();
    await this.election.start({
      assigned: () => this.begin(),
      revoked: () => this.end(),
      messages: nothing,
      expired: nothing,
    });
    this.isStarted = true;
  }

  async stop(): Promise<void> {
    await this.end();
    await this.election.stop();
    await this.publisher?.stop();
  }

  isUp(): boolean {
    return this.isStarted && this.problem() === null;
  }

  problem(): string | null {
    return this.election.absence();
  }

  status(): object {
    const { counts, underWay, feed } = this;
    return { runs: feed !== null, ...counts, underWay, spooled: this.publisher?.spooled, ...feed?.status() };
  }

  metrics(): Sample[] {
    const { counts, feed, publisher, toBrokers } = this;
    return [
      ...(toBrokers ? publisherSamples('feed', { stats: toBrokers.stats(), isAway: toBrokers.isAway }) : []),
      sample('moon_feed_running', feed !== null),
      sample('moon_feed_published_total', counts.published),
      sample('moon_feed_refused_total', counts.refused),
      sample('moon_feed_pauses_total', counts.pauses),
      sample('moon_feed_spooled_events', publisher?.spooled.events ?? 0),
      sample('moon_feed_spool_lost_total', publisher?.spooled.lost ?? 0),
    ];
  }

  private async begin(): Promise<void> {
    const { connections } = this.options.context;
    const { rows } = await connections.log.query({ types: ['price.tick'], order: 'newest', limit: TICKS_TO_RESUME });
    const newest = rows.map(({ event }) => event);
    const heardUntil = newest[0]?.occurredAt ?? null;
    const feed = await this.options.open(newest);
    this.feed = feed;
    for (const event of await this.history(feed)) {
      if (heardUntil === null || event.occurredAt > heardUntil) this.publish(event);
    }
    await feed.start({
      submit: (event) => this.publish(event),
      refused: (reason, message, sample) => {
        this.counts.refused += 1;
        connections.logger.warn({ reason, message, sample }, 'feed message refused');
      },
    });
  }

  private async end(): Promise<void> {
    const { feed } = this;
    this.feed = null;
    await feed?.stop();
  }

  /** History that the source does not give is no reason not to start. */
  private async history(feed: Feed): Promise<AnyEvent[]> {
    const { clock, logger } = this.options.context.connections;
    try {
      return await feed.warmup(clock.now());
    } catch (error) {
      logger.warn({ err: error }, 'the feed gave no history: agents have no view until they have seen enough');
      return [];
    }
  }

  private publish(event: AnyEvent): boolean {
    const { publisher } = this;
    if (!publisher) return false;
    this.underWay += 1;
    publisher.publish([event]).then(
      () => {
        this.underWay -= 1;
        this.counts.published += 1;
        this.hold({});
      },
      (error: unknown) => {
        this.underWay -= 1;
        if ((error as Error).name !== 'PublisherStopped') this.options.context.onFatal(error as Error);
      },
    );
    this.hold({});
    return true;
  }

  /** Holds the feed back while neither broker nor disk keeps up: what waits in memory stays bounded. */
  private hold({ isSpoolFull = this.isSpoolFull }: { isSpoolFull?: boolean }): void {
    this.isSpoolFull = isSpoolFull;
    if (!this.isPaused && (isSpoolFull || this.underWay >= HIGH_WATER)) {
      this.isPaused = true;
      this.counts.pauses += 1;
      this.feed?.pause();
    } else if (this.isPaused && !isSpoolFull && this.underWay < HIGH_WATER / 2) {
      this.isPaused = false;
      this.feed?.resume();
    }
  }
}
