import { join } from 'node:path';
import { median, type BenchFigure } from './figure';
import { LiveBench } from './support/live-bench';

/**
 * What a user's bad agents cost the others, at 1,000 ticks/s on the whole local runtime (see the bench `local`): one that
 * burns 200 ms on every tick, one that throws on every tenth, and one that never returns from one tick, each in a thread
 * of its own. The ratio is the run with them to the run without, in turns, p99 of the latencies of everybody else.
 * They also take processor time: on a machine with few cores that is part of what is measured.
 */
const PER_SECOND = 1_000;
const WARM_UP_TICKS = 4_000;
const TICKS = 10_000;
const REPEATS = 3;
const agentsModule = (name: string): string => join(__dirname, 'support', `${name}-agents.js`);

export async function run(): Promise<BenchFigure[]> {
  const without: Measured[] = [];
  const planted: Measured[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    without.push(await measure([]));
    planted.push(await measure([agentsModule('busy'), agentsModule('throwing'), agentsModule('hanging')]));
  }
  const compare = (metric: string, of: (measured: Measured) => number): BenchFigure => {
    const [value, baseline] = [median(planted.map(of)), median(without.map(of))];
    return { bench: 'isolation', metric, value, unit: 'ms', baseline, ratio: value / baseline };
  };
  const seen = planted[planted.length - 1]?.counts ?? {};
  const count = (metric: string, value: number): BenchFigure => {
    return { bench: 'isolation', metric, value, unit: 'events', baseline: null, ratio: null };
  };
  return [
    compare('others: tick → risk.alert, p50', ({ alertP50 }) => alertP50),
    compare('others: tick → risk.alert, p99', ({ alertP99 }) => alertP99),
    compare('others: tick → order submitted, p50', ({ orderP50 }) => orderP50),
    compare('others: tick → order submitted, p99', ({ orderP99 }) => orderP99),
    ...['agent.lagging', 'agent.error', 'agent.timeout', 'event.skipped'].map((type) =>
      count(`seen: ${type}`, seen[type] ?? 0),
    ),
  ];
}

interface Measured {
  alertP50: number;
  alertP99: number;
  orderP50: number;
  orderP99: number;
  counts: Record<string, number>;
}

async function measure(bad: readonly string[]): Promise<Measured> {
  const bench = await LiveBench.open([agentsModule('opener'), ...bad]);
  await bench.atRate(PER_SECOND, WARM_UP_TICKS);
  bench.forget();
  await bench.atRate(PER_SECOND, TICKS);
  const { alerts, orders } = bench;
  const counts = await bench.stop();
  return {
    ...{ alertP50: alerts.percentile(0.5), alertP99: alerts.percentile(0.99) },
    ...{ orderP50: orders.percentile(0.5), orderP99: orders.percentile(0.99) },
    counts,
  };
}
