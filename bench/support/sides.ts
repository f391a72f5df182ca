import { toCloudEvent } from '@moon/events';
import { kafkaClient, KafkaPublisher, type KafkaSettings } from '@moon/infra';
import { Partitioners, type Message, type Producer } from 'kafkajs';
import { waitFor } from '../../tests/faults/cluster/root';
import { plainTicks } from './live-bench';
import { monotonicNs, RAW_STAMP, stampOf } from './stamps';

const ACKNOWLEDGED_WITHIN_MS = 120_000;
/** Messages of one raw request at most: all of one partition, they are still less than a batch may have (1 MB). */
const MOST_RECORDS = 2_000;

/** One way to publish ticks: the platform's, or the client alone with the same batching. */
export abstract class Side {
  sent = 0;
  private acknowledged = 0;
  private failure: Error | null = null;
  private acks: number[] = [];

  abstract readonly name: 'platform' | 'raw';
  abstract stop(): Promise<void>;
  protected abstract publish(number: number, stamp: string): Promise<void>;

  /** Publishes the next tick, which came at a moment of the monotonic clock. */
  send(phase: string, atNs: bigint): void {
    this.sent += 1;
    this.publish(this.sent, stampOf(phase, atNs)).then(
      () => {
        this.acknowledged += 1;
        this.acks.push(Number(monotonicNs() - atNs) / 1e6);
      },
      (error: Error) => (this.failure ??= error),
    );
  }

  /** @throws Error what was sent was refused: it will never be acknowledged */
  get underWay(): number {
    if (this.failure) throw this.failure;
    return this.sent - this.acknowledged;
  }

  /** Waits until all are acknowledged. @throws Error one was refused, or time is up */
  async idle(): Promise<void> {
    await waitFor(`The brokers acknowledge the ticks of ${this.name}`, ACKNOWLEDGED_WITHIN_MS, () =>
      this.underWay === 0 ? true : null,
    );
  }

  /** Arrival → acknowledged, ms, of what was sent since the last call. */
  takeAcks(): number[] {
    const { acks } = this;
    this.acks = [];
    return acks;
  }
}

/** The tick becomes an event, validated, with its id, and goes through the platform's publisher. */
export class PlatformSide extends Side {
  readonly name = 'platform';
  private readonly publisher: KafkaPublisher;

  constructor(settings: KafkaSettings) {
    super();
    this.publisher = new KafkaPublisher({ settings });
  }

  stop(): Promise<void> {
    return this.publisher.stop();
  }

  protected publish(number: number, stamp: string): Promise<void> {
    return this.publisher.publish(plainTicks(1, number), stamp);
  }
}

/** Batches as the platform does: collects while a request is under way, sends at once when none is. Nothing is validated. */
export class RawSide extends Side {
  readonly name = 'raw';
  private readonly producer: Producer;
  private readonly templates = plainTicks(9, 0).map((event) => ({ ...toCloudEvent(event), data: event.data }));
  private waiting: Array<{ message: Message; done: () => void; failed: (error: Error) => void }> = [];
  private isSending = false;

  constructor(
    settings: KafkaSettings,
    private readonly topic: string,
  ) {
    super();
    this.producer = kafkaClient(settings).producer({
      allowAutoTopicCreation: false,
      metadataMaxAge: settings.metadataMaxAgeMs,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
    });
  }

  connect(): Promise<void> {
    return this.producer.connect();
  }

  stop(): Promise<void> {
    return this.producer.disconnect();
  }

  protected publish(number: number, stamp: string): Promise<void> {
    const { key, headers, data } = this.templates[number % this.templates.length]!;
    const value = JSON.stringify({ ...data, tradeId: String(number) });
    const message = { key, value, headers: { ...headers, [RAW_STAMP]: stamp } };
    return new Promise((done, failed) => {
      this.waiting.push({ message, done, failed });
      if (!this.isSending) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isSending = true;
    // What the same turn of the event loop publishes goes along.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MOST_RECORDS);
      try {
        await this.producer.send({ topic: this.topic, acks: -1, messages: batch.map(({ message }) => message) });
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error as Error);
      }
    }
    this.isSending = false;
  }
}
