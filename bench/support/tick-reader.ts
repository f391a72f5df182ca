import { kafkaClient, KafkaConsumer, type KafkaSettings } from '@moon/infra';
import { isRefused } from '@moon/kernel';
import { monotonicNs, RAW_STAMP, type PhaseResult, type ReaderAnswer, type ReaderQuestion } from './stamps';

interface Order {
  settings: KafkaSettings;
  topic: string;
  groupId: string;
  from: 'beginning' | 'end';
}

/** To a reader that is a member of a group of shards. */
interface PlatformOrder extends Order {
  side: 'platform';
  /** Default 3. */
  shards?: number;
  /** It reads nothing before it is told to go: all readers of a group have joined by then. */
  waits?: boolean;
  /** What the handler does with each tick, µs of this processor; default nothing. */
  workUs?: number;
}

/** What the process that reads is told: by the platform's consumer, or by kafkajs itself. */
export type ReaderOrder = PlatformOrder | (Order & { side: 'raw' });

const SHARDS = 3;
const MOST_PARTITIONS = 12;
/** How often the raw client commits, ms: seldom, which favours it. */
const RAW_COMMIT_MS = 1_000;

interface Phase {
  latencies: number[];
  places: Set<string>;
}

/** What has arrived, by the phase that its stamp names. */
class Arrivals {
  private readonly phases = new Map<string, Phase>();
  private total = 0;
  private firstNs = 0n;
  private lastNs = 0n;

  note(stamp: string, place: string): void {
    const now = monotonicNs();
    if (this.total === 0) this.firstNs = now;
    this.lastNs = now;
    this.total += 1;
    const separator = stamp.indexOf(':');
    const name = stamp.slice(0, separator);
    let phase = this.phases.get(name);
    if (!phase) this.phases.set(name, (phase = { latencies: [], places: new Set() }));
    phase.latencies.push(Number(now - BigInt(stamp.slice(separator + 1))) / 1e6);
    phase.places.add(place);
  }

  result(name: string): PhaseResult {
    const { latencies, places } = this.phases.get(name) ?? { latencies: [], places: new Set() };
    return { latencies, distinct: places.size };
  }

  get span(): { total: number; seconds: number; lastNs: bigint } {
    return { total: this.total, seconds: Number(this.lastNs - this.firstNs) / 1e9, lastNs: this.lastNs };
  }
}

async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '') as ReaderOrder;
  const arrivals = new Arrivals();
  const { stop, go, shards } = await (order.side === 'platform'
    ? readPlatform(order, arrivals)
    : readRaw(order, arrivals));
  process.on('message', (message) => {
    const question = message as ReaderQuestion;
    if (question.ask === 'go') go();
    const { latencies, distinct } = arrivals.result(question.ask === 'go' ? '' : question.phase);
    const seen = { latencies: question.ask === 'result' ? latencies : [], distinct };
    const answer: ReaderAnswer = { ...seen, ...arrivals.span, shards: shards() };
    process.send?.(answer);
  });
  process.on('disconnect', () => void stop().then(() => process.exit(0)));
  process.send?.('ready');
}

interface Reading {
  stop: () => Promise<void>;
  /** Lets a reader begin that waits. */
  go: () => void;
  shards: () => number;
}

/** As every part of the platform reads: a group of shards, offsets committed after the handling. */
async function readPlatform(order: PlatformOrder, arrivals: Arrivals): Promise<Reading> {
  const { settings, groupId, from, shards = SHARDS, waits = false, workUs = 0 } = order;
  const topic = order.topic as 'price.ticks';
  const consumer = new KafkaConsumer({ settings, groupId, topics: [topic], shards, from });
  const nothing = (): Promise<void> => Promise.resolve();
  // More partitions than any topic here has: which ones become its own is not known yet.
  const all = Array.from({ length: MOST_PARTITIONS }, (_, partition) => ({ topic, partition }));
  if (waits) consumer.pause(all);
  const own = new Set<number>();
  await consumer.start({
    assigned: (given) => Promise.resolve(given.forEach((shard) => own.add(shard))),
    revoked: (gone) => Promise.resolve(gone.forEach((shard) => own.delete(shard))),
    expired: nothing,
    messages: (place, messages) => {
      for (const message of messages) {
        if (isRefused(message)) throw new Error(`A tick of the bench was refused: ${message.detail}`);
        work(workUs);
        arrivals.note(message.producer ?? ':0', `${place.partition}/${message.offset}`);
      }
      const last = messages[messages.length - 1];
      if (last) consumer.commit([{ ...place, offset: last.offset + 1 }]).catch(notCommitted);
      return Promise.resolve();
    },
  });
  return { stop: () => consumer.stop(), go: () => consumer.resume(all), shards: () => own.size };
}

/** Keeps the processor busy. */
function work(us: number): void {
  if (us === 0) return;
  for (const end = monotonicNs() + BigInt(us * 1_000); monotonicNs() < end;);
}

/** The client alone, with the same settings. */
async function readRaw(order: Order, arrivals: Arrivals): Promise<Reading> {
  const { settings, topic, groupId, from } = order;
  const consumer = kafkaClient(settings).consumer({
    groupId,
    maxWaitTimeInMs: settings.maxWaitMs,
    metadataMaxAge: settings.metadataMaxAgeMs,
    sessionTimeout: settings.sessionTimeoutMs,
    heartbeatInterval: settings.heartbeatIntervalMs,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 100 },
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: from === 'beginning' });
  await consumer.run({
    autoCommitInterval: RAW_COMMIT_MS,
    eachBatch: ({ batch: { partition, messages } }) => {
      for (const { headers, offset } of messages)
        arrivals.note(String(headers?.[RAW_STAMP] ?? ':0'), `${partition}/${offset}`);
      return Promise.resolve();
    },
  });
  return { stop: () => consumer.disconnect(), go: () => undefined, shards: () => 0 };
}

/** It comes again, and is counted once. */
function notCommitted(error: unknown): void {
  process.stderr.write(`An offset was not committed: ${error instanceof Error ? error.message : String(error)}\n`);
}

function fail(error: unknown): void {
  process.stderr.write(`The reader broke: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
