import { setTimeout as pause } from 'node:timers/promises';
import type { Kafka, Producer } from 'kafkajs';
import { PublisherStopped } from '@moon/kernel';
import { describeKafkaError, kafkaClient, type KafkaSettings } from './kafka-config';
import { partitionOf } from './murmur2';
import { Outgoing } from './outgoing';
import { refusalOf, type KafkaRecord } from './record';
import { RecentDurations, type DurationSummary, type Logger } from '../telemetry';

/** A batch has failed three times or more (BRK-3). */
export interface PublishTrouble {
  /** How often this batch was tried. */
  attempts: number;
  backlog: number;
  /** How long the oldest message has waited. */
  oldestMs: number;
  /** One line: what is wrong and what to do. */
  reason: string;
}

export interface PublisherStats {
  /** Messages that every replica in sync holds. */
  published: number;
  /** Requests, resent ones too. */
  attempts: number;
  failures: number;
  /** Batches that failed three times. */
  troubles: number;
  backlog: number;
  backlogBytes: number;
  /** How long the oldest message that is not acknowledged has waited; 0 without one. */
  oldestMs: number;
  /** From a request to the answer that every replica in sync has it; null before the first. */
  acknowledged: DurationSummary | null;
}

export interface SenderOptions {
  settings: KafkaSettings;
  logger?: Logger;
  /** Told at the third failure of a batch, then at every sixtieth; resending goes on. */
  onTrouble?: (trouble: PublishTrouble) => void;
  /** The batch that was in trouble is acknowledged. */
  onRecovered?: () => void;
  /** Told how long each request took until every replica in sync had it, wall ms. */
  onAcknowledged?: (ms: number) => void;
  /** How long `stop` waits for what is under way. */
  drainMs?: number;
}

/** The failure that is said aloud (BRK-3). */
const TROUBLE_AT = 3;
const TROUBLE_AGAIN = 60;
const LONGEST_BACKOFF_MS = 500;
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/**
 * Collects while a request is under way and sends at once when none is, unless `kafka.sendIntervalMs` spaces requests out.
 * One request at a time keeps the order of keys over resends. kafkajs resends nothing itself: it would pass over a
 * partition whose leader moved, between its own attempts, to a broker that had answered the first.
 */
export class RecordSender {
  private readonly outgoing: Outgoing;
  private readonly client: Kafka;
  private producer: Producer;
  private isConnected = false;
  private isStopped = false;
  /** When the last batch was sent for the first time. */
  private sentAt = Number.NEGATIVE_INFINITY;
  private sending: Promise<void> | null = null;
  private inTrouble = false;
  private readonly counts = { published: 0, attempts: 0, failures: 0, troubles: 0 };
  private readonly durations = new RecentDurations();
  private wake: () => void = () => undefined;

  constructor(private readonly options: SenderOptions) {
    this.client = kafkaClient(options.settings, options.logger);
    this.producer = this.newProducer();
    this.outgoing = new Outgoing(options.settings.maxMessageBytes);
  }

  /** True from the third failure of a batch until it is acknowledged. */
  get isAway(): boolean {
    return this.inTrouble;
  }

  get backlog(): number {
    return this.outgoing.size;
  }

  stats(): PublisherStats {
    const { size, bytes, oldestAt } = this.outgoing;
    const oldestMs = oldestAt === null ? 0 : Math.max(0, performance.now() - oldestAt);
    return { ...this.counts, backlog: size, backlogBytes: bytes, oldestMs, acknowledged: this.durations.summary() };
  }

  /**
   * Resolves when every replica in sync holds all of them.
   * @throws PublisherStopped
   * @throws PublishRefused one is too large or its topic does not exist; those before it may be on the broker
   */
  send(records: readonly KafkaRecord[]): Promise<void> {
    if (this.isStopped) return Promise.reject(new PublisherStopped(records.length));
    if (records.length === 0) return Promise.resolve();
    let done: Promise<void>;
    try {
      done = this.outgoing.add(records);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    this.sending ??= this.run();
    return done;
  }

  /** Waits a moment for what is under way; what is not acknowledged by then is rejected. */
  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    if (this.sending !== null) {
      const timer = setTimeout(() => this.giveUp(), this.options.drainMs ?? 5000);
      if (this.inTrouble) this.giveUp();
      await this.sending;
      clearTimeout(timer);
    }
    await this.producer.disconnect();
  }

  private giveUp(): void {
    this.outgoing.rejectAll((count) => new PublisherStopped(count));
    this.wake();
  }

  private async run(): Promise<void> {
    // What the same turn of the event loop publishes goes along.
    await Promise.resolve();
    while (this.outgoing.size > 0) {
      await this.interval();
      await this.sendBatch();
    }
    this.sending = null;
  }

  /** Waits until the last request is long enough ago; what comes meanwhile goes along. */
  private async interval(): Promise<void> {
    const restMs = this.sentAt + this.options.settings.sendIntervalMs - performance.now();
    if (restMs >= 1 && !this.isStopped) await pause(restMs);
    this.sentAt = performance.now();
  }

  /** One batch until it is acknowledged, refused or given up. */
  private async sendBatch(): Promise<void> {
    const batch = this.outgoing.next();
    let attempts = 0;
    while (this.outgoing.holds(batch)) {
      try {
        attempts += 1;
        this.counts.attempts += 1;
        const startedAt = performance.now();
        await this.attempt(batch.records);
        const ms = performance.now() - startedAt;
        this.durations.note(ms);
        this.options.onAcknowledged?.(ms);
        this.outgoing.acknowledge(batch);
        this.counts.published += batch.records.length;
        if (this.inTrouble) {
          this.inTrouble = false;
          // As loud as what it takes back.
          this.options.logger?.warn({ backlog: this.backlog }, 'Kafka acknowledges again');
          this.options.onRecovered?.();
        }
        return;
      } catch (error) {
        this.counts.failures += 1;
        if (TOO_LARGE.has(typeOf(error))) {
          this.outgoing.shrink(batch, (record) =>
            refusalOf(record, 'the broker says that it is larger than its topic allows'),
          );
          return;
        }
        await this.failed(error, attempts, batch.records);
        if (attempts >= TROUBLE_AT && typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
          if (await this.refuseUnknown(batch.records)) return;
        }
      }
    }
  }

  private async attempt(records: readonly KafkaRecord[]): Promise<void> {
    if (!this.isConnected) {
      await this.producer.connect();
      this.isConnected = true;
    }
    const byTopic = new Map<string, KafkaRecord[]>();
    for (const record of records) {
      const list = byTopic.get(record.topic);
      if (list === undefined) byTopic.set(record.topic, [record]);
      else list.push(record);
    }
    await this.producer.sendBatch({
      acks: -1,
      timeout: this.options.settings.requestTimeoutMs,
      topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
    });
  }

  private async failed(error: unknown, attempts: number, records: readonly KafkaRecord[]): Promise<void> {
    const { logger, onTrouble, settings } = this.options;
    this.isConnected = false;
    if (attempts === TROUBLE_AT || attempts % TROUBLE_AGAIN === 0) {
      if (attempts === TROUBLE_AT) this.counts.troubles += 1;
      this.inTrouble = true;
      const { backlog, oldestMs } = this.stats();
      const trouble = { attempts, backlog, oldestMs, reason: describeKafkaError(error, settings) };
      const { reason, ...counts } = trouble;
      logger?.error({ ...counts, batch: records.length }, `Kafka does not acknowledge what is sent: ${reason}`);
      onTrouble?.(trouble);
    }
    const backoffMs = Math.min(LONGEST_BACKOFF_MS, 50 * 2 ** Math.min(attempts - 1, 5));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, backoffMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.isStopped && this.inTrouble) this.giveUp();
    });
  }

  /** A topic that a healthy cluster does not know is named and its messages refused: the others must not wait for it. */
  private async refuseUnknown(records: readonly KafkaRecord[]): Promise<boolean> {
    const admin = this.client.admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      const known = new Set(await admin.listTopics());
      const unknown = new Set(records.map(({ topic }) => topic).filter((topic) => !known.has(topic)));
      if (unknown.size === 0) return false;
      this.outgoing.refuse(
        ({ topic }) => unknown.has(topic),
        (record) => refusalOf(record, 'its topic does not exist: create the topics of the catalog first'),
      );
      return true;
    } catch {
      // The cluster could not be asked: it stays an outage, which `failed` counts and names.
      return false;
    } finally {
      await admin.disconnect();
    }
  }

  private newProducer(): Producer {
    const { settings } = this.options;
    return this.client.producer({
      allowAutoTopicCreation: false,
      metadataMaxAge: settings.metadataMaxAgeMs,
      retry: { initialRetryTime: 50, maxRetryTime: 100, retries: 0 },
      createPartitioner:
        () =>
        ({ message, partitionMetadata }) =>
          message.key === null || message.key === undefined
            ? 0
            : partitionOf(String(message.key), partitionMetadata.length),
    });
  }
}

/** The broker's own name of an error, wherever kafkajs has put it. */
function typeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const { type } = at as { type?: unknown };
    if (typeof type === 'string') return type;
  }
  return '';
}
