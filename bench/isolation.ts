import { join } from 'node:path';
import { median, type BenchFigure } from './figure';
import { LiveBench } from './support/live-bench';

/**
 * What a user's bad agent costs the others, at 1,000 ticks/s on the whole local runtime (see the bench `local`): one that
 * burns 200 ms on every tick, one that throws on every tenth, one that never returns from a tick; each in a thread of its
 * own. The ratio is the run with it to the run without, in turns: latencies of everybody else. A bad agent also takes
 * processor time, a whole core when it burns it: with few cores, or other work on them, that is what is measured most.
 */
const PER_SECOND = 1_000;
const WARM_UP_TICKS = 3_000;
const TICKS = 8_000;
const REPEATS = 3;
const BAD = { busy: 'agent.lagging', throwing: 'agent.error', hanging: 'agent.timeout' } as const;
const agentsModule = (name: string): string => join(__dirname, 'support', `${name}-agents.js`);

export async function run(): Promise<BenchFigure[]> {
  const names = Object.keys(BAD) as Array<keyof typeof BAD>;
  const without: Measured[] = [];
  const planted = new Map<string, Measured[]>(names.map((name) => [name, []]));
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    without.push(await measure([]));
    for (const name of names) planted.get(name)?.push(await measure([agentsModule(name)]));
  }
  return names.flatMap((name) => {
    const measured = planted.get(name) ?? [];
    const compare = (metric: string, of: (one: Measured) => number): BenchFigure => {
      const [value, baseline] = [median(measured.map(of)), median(without.map(of))];
      return { bench: 'isolation', metric: `${name}: ${metric}`, value, unit: 'ms', baseline, ratio: value / baseline };
    };
    const seen = median(measured.map(({ counts }) => counts[BAD[name]] ?? 0));
    return [
      compare('others, tick → risk.alert, p50', ({ alertP50 }) => alertP50),
      compare('others, tick → risk.alert, p99', ({ alertP99 }) => alertP99),
      compare('others, tick → order submitted, p50', ({ orderP50 }) => orderP50),
      compare('others, tick → order submitted, p99', ({ orderP99 }) => orderP99),
      { bench: 'isolation', metric: `${name}: ${BAD[name]}`, value: seen, unit: 'events', baseline: null, ratio: null },
    ];
  });
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
