import type { AnyEvent } from '@moon/events';
import type { Feed } from '@moon/kernel';
import type { Part, PartContext } from '../process';

/** Events on their way to the broker at which the feed is held back. */
const HIGH_WATER = 20_000;

export interface FeedPartOptions {
  /** Makes the feed that goes on after the newest ticks of the log. */
  open: (newest: readonly AnyEvent[]) => Promise<Feed>;
  context: PartContext;
}

/** Newest ticks of a log from which a feed that is made up goes on. */
const TICKS_TO_RESUME = 2_000;

/** A market feed, whose events go to the broker and nowhere else. One instance of a deployment hosts it at a time. */
export class FeedPart implements Part {
  readonly name = 'feed';
  private feed: Feed | null = null;
  private underWay = 0;
  private isPaused = false;
  private readonly counts = { published: 0, refused: 0, pauses: 0 };

  constructor(private readonly options: FeedPartOptions) {}

  async start(): Promise<void> {
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

  async stop(): Promise<void> {
    await this.feed?.stop();
  }

  isUp(): boolean {
    return this.feed !== null;
  }

  status(): object {
    return { ...this.counts, underWay: this.underWay, ...this.feed?.status() };
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
    const { connections, onFatal } = this.options.context;
    this.underWay += 1;
    connections.publisher.publish([event]).then(
      () => {
        this.underWay -= 1;
        this.counts.published += 1;
        this.weigh();
      },
      (error: unknown) => {
        this.underWay -= 1;
        if ((error as Error).name !== 'PublisherStopped') onFatal(error as Error);
      },
    );
    this.weigh();
    return true;
  }

  /** Holds the feed back while the broker does not keep up: what waits in memory stays bounded. */
  private weigh(): void {
    if (!this.isPaused && this.underWay >= HIGH_WATER) {
      this.isPaused = true;
      this.counts.pauses += 1;
      this.feed?.pause();
    } else if (this.isPaused && this.underWay < HIGH_WATER / 2) {
      this.isPaused = false;
      this.feed?.resume();
    }
  }
}
