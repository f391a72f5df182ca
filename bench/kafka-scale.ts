import { toCloudEvent } from '@moon/events';
import { ensureTopics, kafkaClient, topicPlan, type KafkaSettings } from '@moon/infra';
import { pause, waitFor } from '../tests/faults/cluster/root';
import type { BenchFigure, BenchOptions, BenchSize } from './figure';
import { kafkaOf, onStack } from './support/bench-stack';
import { loadFigure, plainFigure } from './support/latency-figures';
import { plainTicks } from './support/live-bench';
import { ReaderProcess } from './support/reader-process';
import { monotonicNs } from './support/stamps';

/**
 * How fast a backlog of ticks is worked off by 1, 2, 3 and 4 processes of one consumer group that share as many partitions: by
 * the consumer alone (decoding, validation, lanes, commits), and with a handler that takes 100 µs of a processor for each tick.
 * Baseline of each: one process and one partition. Brokers and readers share this machine: beyond its processors nothing grows.
 */
const BENCH = 'kafka-scale';
const MOST = 4;
const COUNT = { short: 6_000, full: 60_000 };
const WORK_US = [0, 100];
const A_REQUEST = 1_000;
const READ_WITHIN_MS = 240_000;
/** Until every member has its part of the shards. */
const SETTLED_MS = 3_000;

export function run(size: BenchSize = 'full', { patience }: BenchOptions = {}): Promise<BenchFigure[]> {
  return onStack(['kafka'], async (addresses) => {
    const settings = kafkaOf(addresses, patience);
    const figures = [loadFigure(BENCH)];
    for (let partitions = 1; partitions <= MOST; partitions += 1) await fill(settings, partitions, COUNT[size]);
    // What the first readers compile and connect is not theirs alone.
    await workOff(settings, { processes: 1, workUs: 0, count: COUNT[size] });
    for (const workUs of WORK_US) {
      let alone = Number.NaN;
      for (let processes = 1; processes <= MOST; processes += 1) {
        const perSecond = await workOff(settings, { processes, workUs, count: COUNT[size] });
        if (processes === 1) alone = perSecond;
        const metric = `${processes} of each, ${workUs} µs of work a tick`;
        const figure = plainFigure(BENCH, metric, perSecond, 'ticks/s');
        figures.push({ ...figure, baseline: alone, ratio: perSecond / alone });
      }
    }
    return [...figures, loadFigure(BENCH)];
  });
}

const topicOf = (partitions: number): string => `bench.scale.${partitions}`;

/** A topic made as that of prices is, and ticks dealt out to its partitions in turn. */
async function fill(settings: KafkaSettings, partitions: number, count: number): Promise<void> {
  const ticks = topicPlan(settings, ['bench']).find(({ name }) => name === 'price.ticks');
  if (!ticks) throw new Error('The catalog has no topic price.ticks.');
  const left = await ensureTopics(settings, [{ ...ticks, name: topicOf(partitions), partitions }]);
  if (left.length > 0) throw new Error(`The topic is not as planned: ${JSON.stringify(left)}`);
  const producer = kafkaClient(settings).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    for (let sent = 0; sent < count; sent += A_REQUEST) {
      const messages = plainTicks(Math.min(A_REQUEST, count - sent), sent).map((event, index) => {
        const { key, headers, value } = toCloudEvent(event);
        return { key, headers, value, partition: index % partitions };
      });
      await producer.send({ topic: topicOf(partitions), acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
}

/** @returns ticks a second, from the moment when all have joined to the last tick */
async function workOff(
  settings: KafkaSettings,
  { processes, workUs, count }: { processes: number; workUs: number; count: number },
): Promise<number> {
  const order = { side: 'platform', settings, topic: topicOf(processes), from: 'beginning', waits: true } as const;
  const groupId = `${BENCH}.${processes}.${workUs}.${monotonicNs()}`;
  const readers = await Promise.all(
    Array.from({ length: processes }, () => ReaderProcess.start({ ...order, groupId, shards: processes, workUs })),
  );
  try {
    await pause(SETTLED_MS);
    const startedNs = monotonicNs();
    await Promise.all(readers.map((reader) => reader.ask({ ask: 'go', phase: '' })));
    return await waitFor('The backlog is worked off', READ_WITHIN_MS, async () => {
      const answers = await Promise.all(readers.map((reader) => reader.ask({ ask: 'count', phase: '' })));
      const total = answers.reduce((sum, answer) => sum + answer.total, 0);
      if (total < count) return null;
      if (total > count)
        throw new Error(`${total} ticks were handled, of ${count}: the group was divided anew meanwhile.`);
      const lastNs = answers.reduce((last, answer) => (answer.lastNs > last ? answer.lastNs : last), startedNs);
      return count / (Number(lastNs - startedNs) / 1e9);
    });
  } finally {
    await Promise.all(readers.map((reader) => reader.stop()));
  }
}
