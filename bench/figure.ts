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
}

/** `full` is what `npm run bench` measures; `short` is the same work, little of it: so that a test can run it. */
export type BenchSize = 'full' | 'short';

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
};
