import type { BenchFigure } from './figure';
import { run as forceClose } from './force-close';
import { run as indicators } from './indicators';
import { run as replayAgents } from './replay-agents';
import { run as replaySma } from './replay-sma';
import { run as riskEvaluation } from './risk-evaluation';

/** A figure that somebody can read: a positive number, with the baseline of the same run and the ratio to it. */
function expectWhole(figures: readonly BenchFigure[], metrics: readonly string[]): void {
  expect(figures.map(({ metric }) => metric)).toEqual(metrics);
  for (const { value, baseline, ratio, unit } of figures) {
    expect(unit).toBe('µs');
    expect(value).toBeGreaterThan(0);
    expect(baseline).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(value / (baseline ?? Number.NaN), 12);
  }
}

// Each bench throws when what it computes is not complete and right; no time is asserted.
describe('benchmarks as evidence', () => {
  it('[RSK-1] risk evaluation: a portfolio of 20 positions is revalued on every tick, with its figures and ratios', async () => {
    const metrics = ['isolated', 'cross'].map((mode) => `tick, 20 positions, ${mode}: handler only`);
    expectWhole(await riskEvaluation('short'), metrics);
  });

  it('[RSK-5] force close: from the critical tick to the flat position, in the order of its events, with its figures and ratios', async () => {
    const ends = ['validated close order', 'signed order for the venue', 'position closed'];
    const figures = await forceClose('short');
    expectWhole(
      figures,
      ends.map((end) => `critical tick → ${end}`),
    );
    const values = figures.map(({ value }) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  it('[TRD-1] indicators: SMA 20/50, RSI 14, MACD and Bollinger bands of every bar equal the textbook’s, with their figures and ratios', async () => {
    expectWhole(
      await indicators('short'),
      [50, 99].map((share) => `four indicators a bar, p${share} (batches of 50)`),
    );
  });

  it('[US3-7] replays: bars, ticks and all agents through the whole path, far over real time, each with its ratio to a plain loop', async () => {
    const [bars, realTime, ticks] = await replaySma('short');
    const [agents] = await replayAgents('short');
    for (const figure of [bars, ticks, agents]) {
      expect(figure?.baseline).toBeGreaterThan(0);
      expect(figure?.ratio).toBeCloseTo((figure?.value ?? 0) / (figure?.baseline ?? Number.NaN), 12);
    }
    // The statement itself, not a bound on this machine's speed: a minute of market in less than a hundredth of one.
    expect(realTime?.value).toBeGreaterThan(100);
  }, 120_000);
});
