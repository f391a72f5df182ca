import { checkBrokers, type ShardStatus } from '@moon/infra';
import type { Part, PartContext } from '../process';

/** How often brokers and store are asked, wall ms. */
const LOOK_MS = 2_000;

/** Asks brokers and store whether they answer: for a process that hosts nothing which would notice. */
export class WatchPart implements Part {
  readonly name = 'watch';
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> = Promise.resolve();
  private brokers: number | null = null;
  private shards: ShardStatus[] | null = null;
  private isStopped = false;

  constructor(private readonly context: PartContext) {}

  async start(): Promise<void> {
    await this.look();
    this.next();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    if (this.timer) clearTimeout(this.timer);
    await this.looking;
  }

  isUp(): boolean {
    return this.brokers !== null && this.shards !== null;
  }

  status(): object {
    return { brokers: this.brokers, store: this.shards !== null, shards: this.shards?.length ?? null };
  }

  private next(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().then(() => this.next());
    }, LOOK_MS);
  }

  private async look(): Promise<void> {
    const { config, log } = this.context.connections;
    [this.brokers, this.shards] = await Promise.all([
      this.ask('the brokers', checkBrokers(config.kafka)),
      this.ask('the event store', log.shards()),
    ]);
  }

  private async ask<T>(who: string, answer: Promise<T>): Promise<T | null> {
    try {
      return await answer;
    } catch (error) {
      this.context.connections.logger.warn({ err: error }, `no answer of ${who}`);
      return null;
    }
  }
}
