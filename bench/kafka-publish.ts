import type { BenchFigure, BenchOptions, BenchSize } from './figure';
import { kafkaOf, onStack } from './support/bench-stack';
import { latencyFigures, loadFigure, plainFigure } from './support/latency-figures';
import { ensureTickTopics, TickLane, type Measured } from './support/tick-lane';

/**
 * Ticks through three real brokers (RF 3, acks all, full JIT): from a tick's arrival to its acknowledgement, and to the handler
 * in another process. Included: id, validation and encoding of the event, the batcher, decoding and validation, lanes and
 * commits. Both ends are read from this machine's monotonic clock.
 * Baseline in the same run, in turns: kafkajs alone with the same settings and the same batching, the same bytes, a reader
 * that only looks at one header. The document's bounds (published within 15 ms, delivered within 5) are printed beside.
 */
const BENCH = 'kafka-publish';
const RATES = { short: [100, 1_000, 5_000], full: [100, 1_000, 5_000, 20_000] };
const SECONDS = { short: 4, full: 15 };
const WARM_UP_S = { short: 3, full: 20 };
const WARM_UP_RATE = 1_000;
const PUBLISHED_MS = 15;
const DELIVERED_MS = 5;

export function run(size: BenchSize = 'full', { rate, minutes, patience }: BenchOptions = {}): Promise<BenchFigure[]> {
  const rates = rate === undefined ? RATES[size] : [rate];
  const seconds = minutes === undefined ? SECONDS[size] : minutes * 60;
  return onStack(['kafka'], async (addresses) => {
    const settings = kafkaOf(addresses, patience);
    await ensureTickTopics(settings);
    const lanes = { raw: await TickLane.open('raw', settings), platform: await TickLane.open('platform', settings) };
    const figures = [loadFigure(BENCH)];
    try {
      for (const lane of [lanes.raw, lanes.platform]) {
        await lane.probe();
        await lane.atRate('warmup', WARM_UP_RATE, WARM_UP_S[size]);
      }
      for (const perSecond of rates) {
        const phase = `at${perSecond}`;
        const raw = await lanes.raw.atRate(phase, perSecond, seconds);
        figures.push(...compare(perSecond, await lanes.platform.atRate(phase, perSecond, seconds), raw));
      }
    } finally {
      for (const lane of [lanes.raw, lanes.platform]) await lane.close();
    }
    return [...figures, loadFigure(BENCH)];
  });
}

function compare(perSecond: number, platform: Measured, raw: Measured): BenchFigure[] {
  const common = { bench: BENCH };
  const lost = plainFigure(BENCH, `acknowledged but not delivered at ${perSecond}/s`, platform.lost, 'ticks');
  return [
    ...latencyFigures({
      ...{ ...common, metric: `feed → acknowledged at ${perSecond}/s`, bound: PUBLISHED_MS },
      ...{ values: platform.acks, baseline: raw.acks },
    }),
    ...latencyFigures({
      ...{ ...common, metric: `feed → handler at ${perSecond}/s` },
      ...{ values: platform.deliveries, baseline: raw.deliveries, bound: PUBLISHED_MS + DELIVERED_MS },
    }),
    { ...lost, baseline: raw.lost },
  ];
}
