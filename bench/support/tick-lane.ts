import { Worker } from 'node:worker_threads';
import { ensureTopics, topicPlan, type KafkaSettings } from '@moon/infra';
import { waitFor } from '../../tests/faults/cluster/root';
import { program } from '../../tests/faults/cluster/supervised';
import { ReaderProcess } from './reader-process';
import { PlatformSide, RawSide, type Side } from './sides';
import { monotonicNs } from './stamps';
import type { Arrival } from './ticker.worker';

const PLATFORM_TOPIC = 'price.ticks';
/** Made as the platform's topic is; a topic of its own, so that neither reader reads the other's. */
const RAW_TOPIC = 'bench.raw.ticks';
const SEEN_WITHIN_MS = 120_000;
const PROBE_MS = 1_500;
/** One tick for each token of the bench: they reach different partitions. */
const TOKENS = 9;

export interface Measured {
  sent: number;
  /** Arrival → acknowledged, ms. */
  acks: readonly number[];
  /** Arrival → handler in another process, ms. */
  deliveries: readonly number[];
  /** Acknowledged ticks that did not arrive. */
  lost: number;
}

/** Makes the topics of both sides. */
export async function ensureTickTopics(settings: KafkaSettings): Promise<void> {
  const plan = topicPlan(settings, ['bench']);
  const ticks = plan.find(({ name }) => name === PLATFORM_TOPIC);
  if (!ticks) throw new Error(`The catalog has no topic ${PLATFORM_TOPIC}.`);
  const left = await ensureTopics(settings, [...plan, { ...ticks, name: RAW_TOPIC }]);
  if (left.length > 0) throw new Error(`The topics are not as planned: ${JSON.stringify(left)}`);
}

/** One side with its reader: ticks go in here and come out in another process. */
export class TickLane {
  private probes = 0;

  private constructor(
    readonly side: Side,
    readonly reader: ReaderProcess,
  ) {}

  static async open(name: Side['name'], settings: KafkaSettings, from: 'beginning' | 'end' = 'end'): Promise<TickLane> {
    const side = await openSide(name, settings);
    const reader = await openReader(name, settings, from);
    return new TickLane(side, reader);
  }

  /** Sends single ticks until all tokens of one round arrive: from then on the reader misses nothing. */
  async probe(): Promise<void> {
    await waitFor(`The reader of ${this.side.name} reads all partitions`, SEEN_WITHIN_MS, async () => {
      const phase = `probe${(this.probes += 1)}`;
      for (let index = 0; index < TOKENS; index += 1) this.side.send(phase, monotonicNs());
      await this.side.idle();
      const seen = await this.arrivals(phase, TOKENS, PROBE_MS);
      return seen.distinct === TOKENS ? true : null;
    });
    this.side.takeAcks();
  }

  /** Ticks at a fixed rate; resolves when all are acknowledged and have arrived. */
  async atRate(phase: string, perSecond: number, seconds: number): Promise<Measured> {
    const before = this.side.sent;
    await tickAtRate(perSecond, Math.round(perSecond * seconds), (atNs) => this.side.send(phase, atNs));
    await this.side.idle();
    const sent = this.side.sent - before;
    const { latencies, distinct } = await this.arrivals(phase, sent, SEEN_WITHIN_MS);
    return { sent, acks: this.side.takeAcks(), deliveries: latencies, lost: sent - distinct };
  }

  async close(): Promise<void> {
    await this.reader.stop();
    await this.side.stop();
  }

  private async arrivals(phase: string, count: number, limitMs: number): ReturnType<ReaderProcess['ask']> {
    const end = monotonicNs() + BigInt(limitMs) * 1_000_000n;
    for (;;) {
      const { distinct } = await this.reader.ask({ ask: 'count', phase });
      if (distinct >= count || monotonicNs() > end) return this.reader.ask({ ask: 'result', phase });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

export async function openSide(name: Side['name'], settings: KafkaSettings): Promise<Side> {
  if (name === 'platform') return new PlatformSide(settings);
  const raw = new RawSide(settings, RAW_TOPIC);
  await raw.connect();
  return raw;
}

export function openReader(
  name: Side['name'],
  settings: KafkaSettings,
  from: 'beginning' | 'end',
): Promise<ReaderProcess> {
  const topic = name === 'platform' ? PLATFORM_TOPIC : RAW_TOPIC;
  return ReaderProcess.start({ side: name, settings, topic, groupId: `bench.${name}.${process.pid}.${from}`, from });
}

/** Calls at a fixed rate from a thread of its own: a main thread that is busy makes ticks wait, as a socket would. */
export function tickAtRate(perSecond: number, count: number, take: (atNs: bigint) => void): Promise<void> {
  const worker = new Worker(program('bench/support/ticker.worker.js'), { workerData: { perSecond, stopAfter: count } });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => resolve());
    worker.on('message', ({ count: arrived, atNs }: Arrival) => {
      for (let index = 0; index < arrived; index += 1) take(atNs);
    });
  });
}
