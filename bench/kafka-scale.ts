import { toCloudEvent } from '@moon/events';
import { ensureTopics, kafkaClient, topicPlan, type KafkaSettings } from '@moon/infra';
import { waitFor } from '../tests/faults/cluster/root';
import { median, type BenchFigure, type BenchOptions, type BenchSize } from './figure';
import { kafkaOf, onStack } from './support/bench-stack';
import { loadFigure, plainFigure } from './support/latency-figures';
import { plainTicks } from './support/live-bench';
import { ReaderProcess } from './support/reader-process';
import { monotonicNs, type ReaderAnswer, type ReaderQuestion } from './support/stamps';

/**
 * How fast a backlog of ticks is worked off by 1, 2, 3 and 4 processes of one consumer group that share as many partitions, with
 * as many ticks for each: by the consumer alone (decoding, validation, lanes, commits), and with a handler that takes 100 µs of
 * a processor for each tick. Every process is new, and compiles while it works. Baseline of each: one process and one partition.
 * Brokers and readers share this machine: beyond its processors nothing grows.
 */
const BENCH = 'kafka-scale';
const MOST = 4;
/** For each process. */
const COUNT = { short: 3_000, full: 40_000 };
const ROUNDS = { short: 1, full: 3 };
const WORK_US = [0, 100];
const A_REQUEST = 1_000;
const JOINED_WITHIN_MS = 60_000;
const READ_WITHIN_MS = 240_000;

export function run(size: BenchSize = 'full', { patience }: BenchOptions = {}): Promise<BenchFigure[]> {
  return onStack(['kafka'], async (addresses) => {
    const settings = kafkaOf(addresses, patience);
    const figures = [loadFigure(BENCH)];
    const topics = Array.from({ length: MOST }, (_, index) => `bench.scale.${process.pid}.${Date.now()}.${index + 1}`);
    for (const [index, topic] of topics.entries()) await fill(settings, topic, index + 1, COUNT[size]);
    for (const workUs of WORK_US) {
      const rates: number[][] = topics.map(() => []);
      for (let round = 0; round < ROUNDS[size]; round += 1) {
        for (const [index, topic] of topics.entries())
          rates[index]!.push(await workOff(settings, { topic, processes: index + 1, workUs, each: COUNT[size] }));
      }
      const [alone = Number.NaN, ...more] = rates.map(median);
      for (const [index, perSecond] of [alone, ...more].entries()) {
        const figure = plainFigure(BENCH, `${index + 1} of each, ${workUs} µs of work a tick`, perSecond, 'ticks/s');
        figures.push({ ...figure, baseline: alone, ratio: perSecond / alone });
      }
    }
    return [...figures, loadFigure(BENCH)];
  });
}

/** A topic made as that of prices is, and ticks dealt out to its partitions in turn. */
async function fill(settings: KafkaSettings, topic: string, partitions: number, each: number): Promise<void> {
  const ticks = topicPlan(settings, ['bench']).find(({ name }) => name === 'price.ticks');
  if (!ticks) throw new Error('The catalog has no topic price.ticks.');
  const left = await ensureTopics(settings, [{ ...ticks, name: topic, partitions }]);
  if (left.length > 0) throw new Error(`The topic is not as planned: ${JSON.stringify(left)}`);
  const producer = kafkaClient(settings).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    for (let sent = 0; sent < each * partitions; sent += A_REQUEST) {
      const messages = plainTicks(A_REQUEST, sent).map((event, index) => {
        const { key, headers, value } = toCloudEvent(event);
        return { key, headers, value, partition: (sent + index) % partitions };
      });
      await producer.send({ topic, acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
}

interface Backlog {
  topic: string;
  processes: number;
  workUs: number;
  each: number;
}

/** @returns ticks a second, from the moment when each has its shard to the last tick @throws Error one did not do its share */
async function workOff(settings: KafkaSettings, { topic, processes, workUs, each }: Backlog): Promise<number> {
  const groupId = `${topic}.${workUs}.${monotonicNs()}`;
  const order = { side: 'platform', settings, topic, from: 'beginning', waits: true, groupId, workUs } as const;
  const readers: ReaderProcess[] = [];
  const ask = (question: ReaderQuestion): Promise<ReaderAnswer[]> =>
    Promise.all(readers.map((reader) => reader.ask(question)));
  const count = { ask: 'count', phase: '' } as const;
  try {
    while (readers.length < processes) readers.push(await ReaderProcess.start({ ...order, shards: processes }));
    await waitFor('Each reader has its shard', JOINED_WITHIN_MS, async () =>
      (await ask(count)).every(({ shards }) => shards === 1) ? true : null,
    );
    const startedNs = monotonicNs();
    await ask({ ask: 'go' });
    return await waitFor('The backlog is worked off', READ_WITHIN_MS, async () => {
      const answers = await ask(count);
      if (answers.some(({ total }) => total < each)) return null;
      if (answers.some(({ distinct, total }) => distinct !== each || total !== each))
        throw new Error(`The readers handled ${answers.map(({ total }) => total).join(', ')} ticks, each of ${each}.`);
      const lastNs = answers.reduce((last, answer) => (answer.lastNs > last ? answer.lastNs : last), startedNs);
      return (each * processes) / (Number(lastNs - startedNs) / 1e9);
    });
  } finally {
    await Promise.all(readers.map((reader) => reader.stop()));
  }
}
