import { cpus, loadavg } from 'node:os';
import type { BenchFigure } from '../figure';

/** @param share 0.99 = the value that 99 % do not exceed; NaN of nothing */
export function percentileOf(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const SHARES = [
  ['p50', 0.5],
  ['p99', 0.99],
  ['p99.9', 0.999],
] as const;

export interface LatencyBlock {
  bench: string;
  metric: string;
  /** ms */
  values: readonly number[];
  /** Of the raw client in the same run, ms. */
  baseline?: readonly number[];
  /** The document's bound of the p99, ms. */
  bound?: number;
}

/** p50, p99 and p99.9 of one kind, each with its ratio. Without a single sample there is one line that says so. */
export function latencyFigures({ bench, metric, values, baseline, bound }: LatencyBlock): BenchFigure[] {
  if (values.length === 0) return [plainFigure(bench, `${metric}: none seen`, 0, 'samples')];
  return SHARES.map(([name, share]) => {
    const value = percentileOf(values, share);
    const raw = baseline === undefined || baseline.length === 0 ? null : percentileOf(baseline, share);
    return {
      ...{ bench, metric: `${metric}, ${name} of ${values.length}`, value, unit: 'ms' },
      ...{ baseline: raw, ratio: raw === null ? null : value / raw },
      ...(bound !== undefined && name === 'p99' && { bound }),
    };
  });
}

export const plainFigure = (bench: string, metric: string, value: number, unit: string): BenchFigure => ({
  ...{ bench, metric, value, unit },
  ...{ baseline: null, ratio: null },
});

/** How busy this machine is: what is measured on a loaded one is stated as such. */
export function loadFigure(bench: string): BenchFigure {
  const metric = `load of this machine, 1 min (${cpus().length} cores)`;
  return plainFigure(bench, metric, loadavg()[0] ?? 0, 'processes');
}
