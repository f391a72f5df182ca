import { pause, waitFor } from '../tests/faults/cluster/root';
import type { BenchFigure, BenchOptions, BenchSize } from './figure';
import { kafkaOf, onStack } from './support/bench-stack';
import { loadFigure, plainFigure } from './support/latency-figures';
import type { Side } from './support/sides';
import { monotonicNs } from './support/stamps';
import { ensureTickTopics, openReader, openSide } from './support/tick-lane';

/**
 * The most ticks a second that one process publishes (RF 3, acks all), and that one process reads from the beginning of the
 * topic. Included: id, validation and encoding; decoding, validation, lanes and commits. Baseline in the same run, in turns:
 * kafkajs alone with batches as large as a partition takes and one request under way.
 */
const BENCH = 'kafka-throughput';
/** Names this run's ticks: a topic may hold those of others. */
const PHASE = `most${process.pid}`;
const COUNT = { short: 20_000, full: 200_000 };
const ROUNDS = { short: 1, full: 3 };
/** Ticks that may wait for their acknowledgement: more than one request takes. */
const MOST_UNDER_WAY = 10_000;
const READ_WITHIN_MS = 300_000;
const STILL_MS = 10_000;

export function run(size: BenchSize = 'full', { patience }: BenchOptions = {}): Promise<BenchFigure[]> {
  return onStack(['kafka'], async (addresses) => {
    const settings = kafkaOf(addresses, patience);
    await ensureTickTopics(settings);
    const sides = { raw: await openSide('raw', settings), platform: await openSide('platform', settings) };
    const load = loadFigure(BENCH);
    const produced: Record<Side['name'], number[]> = { raw: [], platform: [] };
    for (let round = 0; round <= ROUNDS[size]; round += 1) {
      for (const name of ['raw', 'platform'] as const) {
        const perSecond = await produce(sides[name], COUNT[size]);
        // The first round warms up.
        if (round > 0) produced[name].push(perSecond);
      }
    }
    for (const side of Object.values(sides)) await side.stop();
    const consumed = {
      raw: await consume(sides.raw, () => openReader('raw', settings, 'beginning')),
      platform: await consume(sides.platform, () => openReader('platform', settings, 'beginning')),
    };
    const best = (values: readonly number[]): number => Math.max(...values);
    return [
      load,
      compare('produced at most', best(produced.platform), best(produced.raw)),
      compare('consumed at most', consumed.platform.perSecond, consumed.raw.perSecond),
      plainFigure(BENCH, 'acknowledged but not consumed', consumed.platform.lost, 'ticks'),
      loadFigure(BENCH),
    ];
  });
}

function compare(metric: string, value: number, baseline: number): BenchFigure {
  return { bench: BENCH, metric, value, unit: 'ticks/s', baseline, ratio: value / baseline };
}

/** @returns ticks a second, from the first to the last acknowledgement */
async function produce(side: Side, count: number): Promise<number> {
  const started = monotonicNs();
  for (let sent = 0; sent < count;) {
    for (; sent < count && side.underWay < MOST_UNDER_WAY; sent += 1) side.send(PHASE, monotonicNs());
    await new Promise((resolve) => setImmediate(resolve));
  }
  await side.idle();
  side.takeAcks();
  return count / (Number(monotonicNs() - started) / 1e9);
}

/** Reads all that a side has sent, in a process of its own. */
async function consume(
  side: Side,
  open: () => ReturnType<typeof openReader>,
): Promise<{ perSecond: number; lost: number }> {
  const reader = await open();
  try {
    let before = -1;
    const { total, seconds, distinct } = await waitFor(
      `The ticks of ${side.name} are read`,
      READ_WITHIN_MS,
      async () => {
        const answer = await reader.ask({ ask: 'count', phase: PHASE });
        // Whole, or nothing came for a while: what is missing then is lost.
        const stands = answer.total > 0 && answer.total === before;
        before = answer.total;
        if (answer.distinct < side.sent) await pause(stands ? 0 : STILL_MS);
        return answer.distinct >= side.sent || stands ? answer : null;
      },
    );
    return { perSecond: total / seconds, lost: side.sent - distinct };
  } finally {
    await reader.stop();
  }
}
