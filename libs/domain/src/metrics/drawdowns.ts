import { DAY_MS } from './daily';
import { mean, unasked, type Returns, type Why } from './statistics';

/** Value ÷ highest value so far − 1 of each value, zero or below. The first value is the first peak. */
export function drawdownSeries(values: readonly number[]): number[] {
  let peak = Number.NEGATIVE_INFINITY;
  return values.map((value) => {
    peak = Math.max(peak, value);
    return peak > 0 ? (value - peak) / peak : 0;
  });
}

/** The deepest fall of what grows by these returns, the start included: of [−0.05, 0.02] it is −0.05. */
export function maxDrawdown(returns: Returns): number {
  let growth = 1;
  const values = [growth, ...returns.map((value) => (growth *= 1 + (value ?? 0)))];
  return drawdownSeries(values).reduce((a, b) => Math.min(a, b), 0);
}

/** Ulcer index (Martin): √(mean of the squared drawdowns), a share. */
export function ulcerIndex(drawdowns: readonly number[], why: Why = unasked): number | null {
  const squares = mean(
    drawdowns.map((value) => value ** 2),
    why,
  );
  return squares === null ? null : Math.sqrt(squares);
}

/** A fall of the daily series: from a peak to the first close that is not below it. Days are 00:00 UTC, epoch ms. */
export interface Drawdown {
  /** Share of the peak, below zero. */
  depth: number;
  /** The day of the close that was the peak; the day before the first one when it was the start. */
  peakDay: number;
  troughDay: number;
  /** null while it lasts. */
  recoveryDay: number | null;
  /** From peak to trough, from trough to recovery (null while it lasts), and from peak to recovery or end. */
  fallDays: number;
  recoveryDays: number | null;
  lengthDays: number;
}

/**
 * All falls of a daily series, the deepest first, equal ones in order of time.
 *
 * @param index one value a day, the start before them as first value
 * @param firstDay 00:00 UTC of the day of the second value, epoch ms
 */
export function drawdownsOf(index: readonly number[], firstDay: number): Drawdown[] {
  const depths = drawdownSeries(index);
  const dayOf = (place: number) => firstDay + (place - 1) * DAY_MS;
  const falls: Drawdown[] = [];
  let place = 1;
  while (place < depths.length) {
    if (depths[place] === 0) {
      place += 1;
      continue;
    }
    const peak = place - 1;
    let trough = place;
    while (place < depths.length && (depths[place] as number) < 0) {
      if ((depths[place] as number) < (depths[trough] as number)) trough = place;
      place += 1;
    }
    const recovered = place < depths.length;
    falls.push({
      depth: depths[trough] as number,
      peakDay: dayOf(peak),
      troughDay: dayOf(trough),
      recoveryDay: recovered ? dayOf(place) : null,
      fallDays: trough - peak,
      recoveryDays: recovered ? place - trough : null,
      lengthDays: (recovered ? place : place - 1) - peak,
    });
  }
  return falls.sort((a, b) => a.depth - b.depth || a.peakDay - b.peakDay);
}
