import { median, type BenchFigure, type BenchSize } from './figure';
import { eventObjectLoop, referenceConfig, timedBacktest, yearOfBars, YEAR_BARS } from './support/backtest-bench';

/**
 * The reference run, SMA 20/50 flip, through the whole path: file → strategy → consensus → limits → order → venue →
 * ledger → recording. Every emitted event is validated and hashed with its data, the input by its files' fingerprint. Left
 * out: metrics and report (`report`), a store (`replay-store`). Once on bars, once with four ticks a bar.
 * Baseline in the same run: an object for each event through five handlers, nothing else.
 */
const SHORT_BARS = 20_000;
const MINUTES_A_SECOND = 1 / 60;

export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const bars = size === 'full' ? YEAR_BARS : SHORT_BARS;
  const file = yearOfBars(bars);
  try {
    return [
      ...(await onBars(file, bars, size)),
      ...(await onTicks(file, size === 'full' ? YEAR_BARS / 4 : bars / 4, size)),
    ];
  } finally {
    file.remove();
  }
}

async function onBars(file: ReturnType<typeof yearOfBars>, bars: number, size: BenchSize): Promise<BenchFigure[]> {
  const measured = await repeat(size, async () => {
    const { outcome, seconds } = await timedBacktest(referenceConfig({}), file, bars);
    return { rate: bars / seconds, base: eventObjectLoop(bars, 1), fills: fillsOf(outcome.input.run.eventsByType) };
  });
  const words = `${file.words}, ${bars} bars, ${measured.fills} fills`;
  return [
    figure('replay-sma-bars', words, measured.rate, 'bars/s', measured.base),
    figure('replay-sma-bars', 'times real time', measured.rate / MINUTES_A_SECOND, '×', null),
  ];
}

async function onTicks(file: ReturnType<typeof yearOfBars>, bars: number, size: BenchSize): Promise<BenchFigure[]> {
  const strategies = [{ path: 'strategies/sma-flip.ts', name: 'sma-flip', weight: 1, config: { on: 'ticks' } }];
  const config = referenceConfig({ ticks: 'ohlc', initialBalance: '10000000', strategies });
  const measured = await repeat(size, async () => {
    const { outcome, seconds } = await timedBacktest(config, file, bars);
    return {
      rate: (4 * bars) / seconds,
      base: eventObjectLoop(bars, 4),
      fills: fillsOf(outcome.input.run.eventsByType),
    };
  });
  const words = `${file.words}, ${4 * bars} ticks, ${measured.fills} fills`;
  return [figure('replay-sma-ticks', words, measured.rate, 'ticks/s', measured.base)];
}

interface Measured {
  rate: number;
  base: number;
  fills: number;
}

async function repeat(size: BenchSize, once: () => Promise<Measured>): Promise<Measured> {
  const all: Measured[] = [];
  for (let index = 0; index < (size === 'full' ? 3 : 1); index += 1) all.push(await once());
  const fills = all[0]?.fills ?? 0;
  if (fills === 0 || all.some((one) => one.fills !== fills))
    throw new Error('The runs did not trade, or not the same.');
  return { rate: median(all.map(({ rate }) => rate)), base: median(all.map(({ base }) => base)), fills };
}

const fillsOf = (eventsByType: Readonly<Record<string, number>>): number => eventsByType['trade.executed'] ?? 0;

function figure(bench: string, metric: string, value: number, unit: string, baseline: number | null): BenchFigure {
  return { bench, metric, value, unit, baseline, ratio: baseline === null ? null : value / baseline };
}
