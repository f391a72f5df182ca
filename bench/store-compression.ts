import { join } from 'node:path';
import { compressedSizes, type CompressedSizes } from '../libs/infra/src/testing/compressed-sizes';
import { runShaped } from '../libs/infra/src/testing/run-shaped';
import { startTimescale } from '../libs/infra/src/testing/timescale';
import type { BenchFigure, BenchSize } from './figure';

/**
 * Bytes of bus events in the cluster's log on TimescaleDB (the WebAssembly build), before and after their chunks are
 * compressed, by TimescaleDB's own account. Base of the ratio: heap, TOAST and all indexes of the same rows uncompressed.
 * Events have the shape of a run's: 88 % prices of five tokens, signals with a cause and a reason, sentiment; ids as
 * random as the platform's (UUIDv5), four weekly chunks. Their number is the row count of a figure, the count found after
 * compression its proof that none is missing.
 */

const EVENTS: Record<BenchSize, number> = { full: 120_000, short: 12_000 };
const FROM = Date.UTC(2024, 0, 4);
const FOUR_WEEKS_MS = 28 * 86_400_000;
const TOKENS = 5;

export async function run(size: BenchSize): Promise<BenchFigure[]> {
  const count = EVENTS[size];
  const server = await startTimescale(join(__dirname, '../..'));
  try {
    return figuresOf(await compressedSizes(server, runShaped(count, FROM, (FOUR_WEEKS_MS * TOKENS) / count)), count);
  } finally {
    await server.stop();
  }
}

function figuresOf({ before, after, heap }: CompressedSizes, count: number): BenchFigure[] {
  const rounded = (value: number): number => Number(value.toPrecision(4));
  const figure = (metric: string, value: number, baseline: number | null, unit: string): BenchFigure => ({
    bench: 'store-compression',
    metric,
    value: rounded(value),
    unit,
    baseline: baseline === null ? null : rounded(baseline),
    ratio: baseline === null ? null : rounded(value / baseline),
  });
  return [
    figure('compressed, of heap and indexes', after / count, before / count, 'B/event'),
    figure('compressed, of heap alone', after / count, heap / count, 'B/event'),
    figure('saved, base heap and indexes', (1 - after / before) * 100, null, '%'),
  ];
}
