/** One line of a benchmark: a figure, the baseline of the same run, and their ratio. */
export interface BenchFigure {
  bench: string;
  metric: string;
  value: number;
  unit: string;
  /** The same work without what is measured, in the same run and unit; null when there is none. */
  baseline: number | null;
  /** value ÷ baseline. */
  ratio: number | null;
  /** The design document's absolute bound in the same unit, which the value is not to exceed; printed beside it, never asserted. */
  bound?: number;
}

/** `full` is what `npm run bench` measures; `short` is the same work, little of it: so that a test can run it. */
export type BenchSize = 'full' | 'short';

/** What a bench on real servers may be told; each has its own defaults. */
export interface BenchOptions {
  /** Ticks per second. */
  rate?: number;
  /** Feed time per wall time; default: what gives the rate at one trade a second and token. */
  pace?: number;
  /** ms between requests of the clients; default: what the rate wants on two cores. */
  spacing?: number;
  /** How long it measures, after its warm-up. */
  minutes?: number;
  /** Multiplies the time-outs of the brokers' clients, the raw one's too: for a machine that is busy with more. */
  patience?: number;
}

/** A bench cannot run here: one line that says what is missing and what to do. */
export class BenchRefused extends Error {
  override readonly name = 'BenchRefused';
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
};
