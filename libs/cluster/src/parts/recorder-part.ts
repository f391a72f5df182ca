import { TOPICS, type TopicName } from '@moon/events';
import { isTransientStoreError, KafkaConsumer, lagSamples, refusedMessage, sample, type Sample } from '@moon/infra';
import { isRefused, type BusMessage, type BusPartition, type RefusedMessage } from '@moon/kernel';
import { RECORDER_GROUP } from '../connections';
import type { Part, PartContext } from '../process';

/** A store that takes longer is said, ms (EVS-4). */
const SLOW_MS = 10;
/** Of an archive that stays away, one line in so many attempts. */
const RETRIES_A_LINE = 50;
const RETRY_MS = 200;
/** Nobody waits for the archive: it takes what there is a few times a second, wall ms. */
const FETCH_INTERVAL_MS = 200;
/** Slow appends are told together, so often at most, wall ms. */
const REPORT_MS = 60_000;

/** The messages among them that are in no stream; null when nothing was archived. */
type Strangers = ReadonlySet<BusMessage> | null;

const STRANGER =
  'It is store-first, and in no stream: it was forged, or the store was set back. Groups may have obeyed it; see docs/runbooks/distributed.md, Dead letters.';

/**
 * Archives what the broker carries, idempotent by event id: everything that is bus-first, and where the rest stood. A
 * store that is slow or away holds up this group alone; the broker keeps what is not archived yet.
 */
export class RecorderPart implements Part {
  readonly name = RECORDER_GROUP;
  private readonly consumer: KafkaConsumer;
  private readonly counts = { messages: 0, stored: 0, refused: 0, strangers: 0, slow: 0, appends: 0, retries: 0 };
  private readonly waiting: Array<{ messages: readonly BusMessage[]; done: (archived: Strangers) => void }> = [];
  private isAppending = false;
  private slowest = 0;
  /** What has not been told yet. */
  private since = { appends: 0, slow: 0, slowestMs: 0 };
  private reportAt = 0;
  private isStopped = false;
  private isStarted = false;
  private isAway = false;

  constructor(private readonly context: PartContext) {
    const { config, logger, contracts, metrics } = context.connections;
    metrics.begin('moon_dead_letters_total', { group: RECORDER_GROUP });
    this.consumer = new KafkaConsumer({
      settings: config.kafka,
      logger,
      groupId: RECORDER_GROUP,
      contracts,
      topics: Object.keys(TOPICS) as TopicName[],
      shards: 1,
      fetchIntervalMs: FETCH_INTERVAL_MS,
    });
  }

  async start(): Promise<void> {
    const nothing = (): Promise<void> => Promise.resolve();
    await this.consumer.start({
      assigned: nothing,
      revoked: nothing,
      messages: (from, messages) => this.take(from, messages),
      expired: (from, wanted, first) => {
        const context = { ...from, wanted, first };
        this.context.connections.logger.error(context, 'messages expired on the broker before they were archived');
        return Promise.resolve();
      },
    });
    this.isStarted = true;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.consumer.stop();
  }

  isUp(): boolean {
    return this.isStarted && !this.isAway && this.problem() === null;
  }

  problem(): string | null {
    return this.consumer.absence();
  }

  status(): object {
    return { ...this.counts, slowestMs: Math.round(this.slowest * 10) / 10, lag: this.consumer.lag() };
  }

  metrics(): Sample[] {
    return [
      sample('moon_recorder_messages_total', this.counts.messages),
      sample('moon_recorder_strangers_total', this.counts.strangers),
      sample('moon_recorder_retries_total', this.counts.retries),
      sample('moon_group_standstill_seconds', this.consumer.standstillMs() / 1_000, { group: RECORDER_GROUP }),
      ...lagSamples(RECORDER_GROUP, this.consumer.lag()),
    ];
  }

  private async take(from: BusPartition, messages: readonly (BusMessage | RefusedMessage)[]): Promise<void> {
    const good = messages.filter((message): message is BusMessage => !isRefused(message));
    for (const message of messages) {
      if (!isRefused(message)) continue;
      await this.context.connections.deadLetters.keep(RECORDER_GROUP, message);
      this.counts.refused += 1;
    }
    const strangers = good.length > 0 ? await this.archive(good) : new Set<BusMessage>();
    if (strangers === null) return;
    for (const message of good) {
      if (!strangers.has(message)) continue;
      await this.context.connections.deadLetters.keep(
        RECORDER_GROUP,
        refusedMessage(message, 'in_no_stream', STRANGER),
      );
      this.counts.strangers += 1;
    }
    this.counts.messages += messages.length;
    const last = messages[messages.length - 1];
    if (last) this.consumer.commitSoon([{ ...from, offset: last.offset + 1 }]);
  }

  /** What several partitions bring while an append is under way goes into the next one together. */
  private archive(messages: readonly BusMessage[]): Promise<Strangers> {
    return new Promise((done) => {
      this.waiting.push({ messages, done });
      if (!this.isAppending) void this.appendWaiting();
    });
  }

  private async appendWaiting(): Promise<void> {
    this.isAppending = true;
    while (this.waiting.length > 0) {
      const taken = this.waiting.splice(0);
      const archived = await this.append(taken.flatMap(({ messages }) => messages));
      for (const { done } of taken) done(archived);
    }
    this.isAppending = false;
  }

  /** Tries until it is archived; null when the process ends before. */
  private async append(messages: readonly BusMessage[]): Promise<Strangers> {
    const { connections, onFatal } = this.context;
    while (!this.isStopped) {
      try {
        const { stored, strangers, ms } = await connections.archive.append(messages);
        this.isAway = false;
        connections.onStore(null);
        this.note(stored, ms);
        return new Set(strangers);
      } catch (thrown) {
        if (!isTransientStoreError(thrown)) {
          this.isStopped = true;
          onFatal(thrown instanceof Error ? thrown : new Error(String(thrown)));
          return null;
        }
        this.counts.retries += 1;
        connections.onStore(thrown as Error);
        if (!this.isAway || this.counts.retries % RETRIES_A_LINE === 0) {
          const { retries } = this.counts;
          connections.logger.warn({ err: thrown, retries }, 'the archive takes nothing, trying again');
        }
        this.isAway = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return null;
  }

  private note(stored: number, ms: number): void {
    const { counts } = this;
    this.context.connections.metrics.time('moon_store_append_seconds', ms, { writer: 'archive' });
    counts.stored += stored;
    counts.appends += 1;
    this.slowest = Math.max(this.slowest, ms);
    this.since.appends += 1;
    if (ms <= SLOW_MS) return;
    counts.slow += 1;
    this.since.slow += 1;
    this.since.slowestMs = Math.max(this.since.slowestMs, ms);
    const now = performance.now();
    if (now < this.reportAt) return;
    this.reportAt = now + REPORT_MS;
    const { slow, appends, slowestMs } = this.since;
    this.since = { appends: 0, slow: 0, slowestMs: 0 };
    const report = { slow, of: appends, slowestMs: Math.round(slowestMs), boundMs: SLOW_MS };
    this.context.connections.logger.warn(report, 'appends to the event store are slow; events flow all the same');
  }
}
