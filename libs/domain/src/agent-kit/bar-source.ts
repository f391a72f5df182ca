import type { EventData } from '@moon/events';

/** Which instrument's bars an agent follows for its token, and up to when. */
export interface BarSourceState {
  instrument: string | null;
  /** Close (epoch ms) of the last bar taken; null = none yet. */
  lastCloseAt: number | null;
  taken: number;
  /** Bars of another instrument, repeats and late ones. */
  passedOver: number;
}

export function newBarSource(): BarSourceState {
  return { instrument: null, lastCloseAt: null, taken: 0, passedOver: 0 };
}

/** Another instrument takes over when the followed one has been silent for this many intervals. */
const SILENT_INTERVALS = 10;

/**
 * Decides whether a closed bar belongs to the one series that the agent follows. Prices of different instruments are
 * never mixed in one indicator: the first instrument seen for the token is followed, and another one only takes over
 * after a silence of ten intervals, as a new series.
 *
 * @param intervalMs length of bar wanted; bars of other lengths are not the agent's
 * @returns 'take' = next bar of the series; 'restart' = first bar of a new series, drop what was computed; 'pass' = not for us
 */
export function followBar(
  source: BarSourceState,
  bar: EventData<'bar.closed'>,
  intervalMs: number,
): 'take' | 'restart' | 'pass' {
  if (bar.intervalMs !== intervalMs) return 'pass';
  const last = source.lastCloseAt;
  const known = source.instrument === null || source.instrument === bar.instrument;
  const silent = last !== null && bar.timestamp - last > SILENT_INTERVALS * intervalMs;
  if ((last !== null && bar.openedAt < last) || (!known && !silent)) {
    source.passedOver++;
    return 'pass';
  }
  source.instrument = bar.instrument;
  source.lastCloseAt = bar.timestamp;
  source.taken++;
  return known ? 'take' : 'restart';
}

/** Whether the last bar is younger than `maxAgeMs` at event time `now`. */
export function isFresh(source: BarSourceState, now: number, maxAgeMs: number): boolean {
  return source.lastCloseAt !== null && now - source.lastCloseAt <= maxAgeMs;
}
