import { checkBrokers, replicationOf, sample, type Replication, type Sample, type ShardStatus } from '@moon/infra';
import type { Part, PartContext } from '../process';

/** How often brokers and store are asked, wall ms. */
const LOOK_MS = 2_000;

/** Whether commits wait for a standby is asked at every so many looks: it takes a connection of its own. */
const LOOKS_A_REPLICATION = 5;

/** Asks brokers and store whether they answer: for a process that hosts nothing which would notice. */
export class WatchPart implements Part {
  readonly name = 'watch';
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> = Promise.resolve();
  private brokers: number | null = null;
  private shards: ShardStatus[] | null = null;
  private replication: Replication | null = null;
  private looks = 0;
  /** Why there was no answer when it was asked last, by who was asked. */
  private readonly away = new Map<string, string>();
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

  problem(): string | null {
    return this.away.size === 0 ? null : [...this.away].map(([who, why]) => `no answer of ${who}: ${why}`).join('; ');
  }

  status(): object {
    return { brokers: this.brokers, store: this.shards !== null, shards: this.shards?.length ?? null };
  }

  /** Of one server there is no replication to tell of; of servers that do not answer it is not known. */
  metrics(): Sample[] {
    const { brokers, replication } = this;
    return [
      sample('moon_brokers', brokers ?? 0),
      ...(replication
        ? [
            sample('moon_store_synchronous', replication.isSynchronous),
            sample('moon_store_standbys', replication.standbys),
          ]
        : []),
    ];
  }

  private next(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().then(() => this.next());
    }, LOOK_MS);
  }

  private async look(): Promise<void> {
    const { access, config, log } = this.context.connections;
    const { hosts, database } = config.postgres;
    [this.brokers, this.shards] = await Promise.all([
      this.ask('the brokers', checkBrokers(config.kafka)),
      this.ask('the event store', log.shards()),
    ]);
    if (hosts.length > 1 && this.looks % LOOKS_A_REPLICATION === 0)
      this.replication = await this.ask('the event store about its standbys', replicationOf(access.app, database));
    this.looks += 1;
  }

  private async ask<T>(who: string, answer: Promise<T>): Promise<T | null> {
    try {
      const found = await answer;
      this.away.delete(who);
      return found;
    } catch (error) {
      const { message } = error as Error;
      // Once for each cause: it is asked every two seconds.
      if (this.away.get(who) !== message) this.context.connections.logger.warn({ err: error }, `no answer of ${who}`);
      this.away.set(who, message);
      return null;
    }
  }
}
