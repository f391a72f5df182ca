import { median, type BenchFigure, type BenchSize } from './figure';
import { eventObjectLoop, referenceConfig, timedBacktest, yearOfBars, YEAR_BARS } from './support/backtest-bench';

/**
 * All seven agents on one-minute bars: normalisers, indicators on several bar lengths, the rule-based model, consensus with
 * its default threshold, limits, venue, ledger, recording. Every emitted event is validated and hashed. Left out: metrics
 * and report, a store, the read model that nobody looks at in a backtest.
 * Baseline in the same run: an object for each bar through five handlers, nothing else.
 */
const [FULL_BARS, SHORT_BARS] = [YEAR_BARS / 4, 10_000];

export async function run(size: BenchSize = 'full'): Promise<BenchFigure[]> {
  const bars = size === 'full' ? FULL_BARS : SHORT_BARS;
  const file = yearOfBars(bars);
  const config = referenceConfig({
    ...{ agents: undefined, strategies: [], sizing: undefined, limits: undefined, warmUpMs: 0 },
    ...{ platform: { projection: { enabled: false } }, venue: {} },
  });
  try {
    const rates: number[] = [];
    const bases: number[] = [];
    let events = 0;
    let orders = 0;
    for (let index = 0; index < (size === 'full' ? 3 : 1); index += 1) {
      const { outcome, seconds } = await timedBacktest(config, file, bars);
      rates.push(bars / seconds);
      bases.push(eventObjectLoop(bars, 1));
      events = outcome.input.run.events;
      orders = outcome.input.run.eventsByType['order.requested'] ?? 0;
      if (!outcome.input.run.eventsByType['signal.generated']) throw new Error('The agents said nothing.');
    }
    const [rate, baseline] = [median(rates), median(bases)];
    const words = `${file.words}, ${bars} bars, ${orders} orders`;
    return [
      { bench: 'replay-agents', metric: words, value: rate, unit: 'bars/s', baseline, ratio: rate / baseline },
      { bench: 'replay-agents', metric: 'events a bar', value: events / bars, unit: '', baseline: null, ratio: null },
    ];
  } finally {
    file.remove();
  }
}
