import { join } from 'node:path';
import { median, type BenchFigure, type BenchSize } from './figure';
import { LiveBench } from './support/live-bench';

/**
 * What a user's bad agent costs the others, at 1,000 ticks/s on the whole local runtime (see the bench `local`): one that
 * burns 200 ms on every tick, one that throws on every tenth, one that never returns from a tick; each in a thread of its
 * own. The ratio is the run with it to the run without, in turns: latencies of everybody else, medians of the repeats.
 * tick → risk.alert is the platform's own path; tick → order submitted leads through two more agents of a user, which have
 * no priority over the bad one. Files are kept in memory where the machine can: a disk that others use makes the venue's
 * books wait on the main thread, with or without a bad agent, and hides what is measured here.
 */
const PER_SECOND = 1_000;
const SIZES = {
  full: { repeats: 5, warmUpTicks: 3_000, ticks: 6_000 },
  short: { repeats: 1, warmUpTicks: 1_500, ticks: 4_500 },
} as const;
const BAD = { busy: 'agent.lagging', throwing: 'agent.error', hanging: 'agent.timeout' } as const;
const agentsModule = (name: string): string => join(__dirname, 'support', `${name}-agents.js`);

export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const names = Object.keys(BAD) as Array<keyof typeof BAD>;
  const without: Measured[] = [];
  const planted = new Map<string, Measured[]>(names.map((name) => [name, []]));
  for (let repeat = 0; repeat < SIZES[size].repeats; repeat += 1) {
    without.push(await measure(size, []));
    for (const name of names) planted.get(name)?.push(await measure(size, [agentsModule(name)]));
  }
  return names.flatMap((name) => {
    const measured = planted.get(name) ?? [];
    const compare = (metric: string, of: (one: Measured) => number, unit = 'ms'): BenchFigure => {
      const [value, baseline] = [median(measured.map(of)), median(without.map(of))];
      return { bench: 'isolation', metric: `${name}: ${metric}`, value, unit, baseline, ratio: value / baseline };
    };
    const seen = median(measured.map(({ counts }) => counts[BAD[name]] ?? 0));
    return [
      compare('others, tick → risk.alert, p50', ({ alertP50 }) => alertP50),
      compare('others, tick → risk.alert, p99', ({ alertP99 }) => alertP99),
      compare('others, tick → order submitted, p50', ({ orderP50 }) => orderP50),
      compare('others, tick → order submitted, p99', ({ orderP99 }) => orderP99),
      compare('alerts of the others', ({ alerts }) => alerts, 'alerts'),
      { bench: 'isolation', metric: `${name}: ${BAD[name]}`, value: seen, unit: 'events', baseline: null, ratio: null },
    ];
  });
}

interface Measured {
  alerts: number;
  alertP50: number;
  alertP99: number;
  orderP50: number;
  orderP99: number;
  counts: Record<string, number>;
}

async function measure(size: BenchSize, bad: readonly string[]): Promise<Measured> {
  const bench = await LiveBench.open([agentsModule('opener'), ...bad], true);
  await bench.atRate(PER_SECOND, SIZES[size].warmUpTicks);
  bench.forget();
  await bench.atRate(PER_SECOND, SIZES[size].ticks);
  const { alerts, orders } = bench;
  const counts = await bench.stop();
  return {
    ...{ alertP50: alerts.percentile(0.5), alertP99: alerts.percentile(0.99) },
    ...{ orderP50: orders.percentile(0.5), orderP99: orders.percentile(0.99) },
    ...{ counts, alerts: alerts.count },
  };
}
