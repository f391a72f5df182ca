import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { backtestConfigSchema, runBacktest, type BacktestConfig, type BacktestOutcome } from '@moon/backtesting';
import { Value } from '@sinclair/typebox/value';
import { openFileInputs } from '../../apps/cli/src/commands/backtest/open-inputs';

const MINUTE = 60_000;
/** 2022 has so many minutes. */
export const YEAR_BARS = 525_600;
const YEAR = Date.UTC(2022, 0, 1);
const EXAMPLES = resolve(process.cwd(), 'examples');

/** One-minute bars of a year in a file. */
export interface BarsFile {
  path: string;
  /** What the bench's output calls it. */
  words: string;
  remove(): void;
}

/** The recorded bars of BTCUSDT 2022 where the shared data are; else as many made-up ones, the same every time. */
export function yearOfBars(bars: number): BarsFile {
  const path = join(
    process.env.MOON_SHARED ?? resolve(process.cwd(), '../shared'),
    'data/candles/BTCUSDT-1m-2022.csv.gz',
  );
  if (existsSync(path)) return { path, words: 'BTCUSDT 2022', remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'moon-bench-bars-'));
  const made = join(folder, 'BTCUSDT-made-up.csv');
  writeFileSync(made, madeUpBars(bars));
  return { path: `${made}@BINANCE-SPOT`, words: 'made-up bars', remove: () => rmSync(folder, { recursive: true }) };
}

function madeUpBars(bars: number): string {
  const lines = ['timestamp_ms,symbol,open,high,low,close,volume'];
  let state = 7;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  let cents = 4_600_000;
  for (let index = 0; index < bars; index += 1) {
    const open = cents;
    cents = Math.max(100_000, cents + Math.round((random() - 0.5) * 8_000));
    const high = Math.max(open, cents) + Math.round(random() * 1_500);
    const low = Math.min(open, cents) - Math.round(random() * 1_500);
    const prices = [open, high, low, cents].map((price) => (price / 100).toFixed(2)).join(',');
    lines.push(`${YEAR + index * MINUTE},BTCUSDT,${prices},${(1 + random() * 50).toFixed(5)}`);
  }
  return lines.join('\n');
}

/** The reference run's configuration (`examples/sma-2022.json`), with what a bench changes of it. */
export function referenceConfig(change: Record<string, unknown>): BacktestConfig {
  const example = JSON.parse(readFileSync(join(EXAMPLES, 'sma-2022.json'), 'utf8')) as Record<string, unknown>;
  return Value.Default(backtestConfigSchema, { ...example, ...change }) as BacktestConfig;
}

/** Runs a backtest over the first bars of a file in this thread; answers it with its wall time, s. */
export async function timedBacktest(
  config: BacktestConfig,
  file: BarsFile,
  bars: number,
): Promise<{ outcome: BacktestOutcome; seconds: number }> {
  const data = { ...config.data, files: [file.path] };
  const range = bars < YEAR_BARS ? { end: YEAR + bars * MINUTE } : config.range;
  const job = {
    id: 'bench',
    config: { ...config, data, range } as BacktestConfig,
    folder: EXAMPLES,
    codeVersion: 'bench',
    commit: null,
  };
  const refused: string[] = [];
  const start = process.hrtime.bigint();
  const outcome = await runBacktest(job, {
    openInputs: (request) => openFileInputs(request, ({ message }) => void refused.push(message)),
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (outcome.input.run.status !== 'complete') throw new Error(`The run is ${outcome.input.run.status}.`);
  if (outcome.venueDifferences.length > 0 || refused.length > 0)
    throw new Error(`The run is not right: ${[...outcome.venueDifferences, ...refused].join(' ')}`);
  return { outcome, seconds };
}

/**
 * The plain loop that replays are measured against: an object for each event, five handlers called for each that keep a moving
 * average, no order. Answers events a second.
 *
 * @param ticksPerBar 1 = one event a bar, 4 = one for each of its prices
 */
export function eventObjectLoop(bars: number, ticksPerBar: 1 | 4): number {
  const closes = new Float64Array(bars);
  for (let index = 0; index < bars; index += 1) closes[index] = 40_000 + Math.sin(index / 50) * 500;
  const sums = new Float64Array(5);
  const handlers = [1, 2, 3, 4, 5].map((weight, index) => (event: LoopEvent): void => {
    sums[index] = (sums[index] as number) * 0.98 + event.data.close * weight;
  });
  let best = Number.POSITIVE_INFINITY;
  // It is a ceiling: the first passes, in which the engine still compiles it, do not count.
  for (let pass = 0; pass < PASSES; pass += 1) best = Math.min(best, loopSeconds(closes, ticksPerBar, handlers));
  if (!sums.every((sum) => sum > 0)) throw new Error('The loop did nothing.');
  return (bars * ticksPerBar) / best;
}

const PASSES = 5;

class LoopBar {
  constructor(
    readonly open: number,
    readonly high: number,
    readonly low: number,
    readonly close: number,
  ) {}
}

class LoopEvent {
  readonly type = 'bar.closed';

  constructor(
    readonly at: number,
    readonly data: LoopBar,
  ) {}
}

function loopSeconds(
  closes: Float64Array,
  ticksPerBar: number,
  handlers: readonly ((event: LoopEvent) => void)[],
): number {
  const start = process.hrtime.bigint();
  for (let index = 0; index < closes.length; index += 1) {
    const close = closes[index] as number;
    for (let tick = 0; tick < ticksPerBar; tick += 1) {
      const event = new LoopEvent(YEAR + index * MINUTE, new LoopBar(close, close, close, close));
      for (const handle of handlers) handle(event);
    }
  }
  return Number(process.hrtime.bigint() - start) / 1e9;
}
