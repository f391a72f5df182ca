import type { EventData } from '@moon/events';
import { pairCount, pearson, windowEnds } from '../../indicators';
import type { CorrelationAgentConfig } from './config';
import { newTrack, type CorrelationAgentState, type Direction, type SourceTrack } from './state';

/**
 * Takes one `sentiment.update` into its source's index: W' = W·2^(−Δt/halfLife) + c, m' = m + (bullish_pct − m)·c ÷ W', c =
 * the update's confidence. Works for sources that report a level (an index) and for those that report single opinions.
 */
export function learn(
  state: CorrelationAgentState,
  update: EventData<'sentiment.update'>,
  config: CorrelationAgentConfig,
): void {
  const { source, confidence, bullish_pct: bullishPct, timestamp: at } = update;
  if (confidence <= 0) return;
  const place = state.sources.findIndex((one) => one.source === source);
  const track = place < 0 ? newTrack(source, config.windowMs) : (state.sources[place] as SourceTrack);
  if (at < track.at) return;
  if (place >= 0) state.sources.splice(place, 1);
  else if (state.sources.length >= config.maxSources) state.sources.shift();
  state.sources.push(track);
  track.weight = track.weight * 2 ** (-(at - track.at) / config.halfLifeMs) + confidence;
  track.index += ((bullishPct - track.index) * confidence) / track.weight;
  track.at = at;
  track.recent.push(at);
  if (track.recent.length > config.minUpdates) track.recent.shift();
}

/** What a source's window says at one moment. */
export interface Measure {
  coefficient: number;
  samples: number;
  /** Where both have gone since the window's oldest sample; null when they have not gone the same way. */
  direction: Direction | null;
}

/**
 * Correlation of sentiment changes with price moves over the window that ends now (epoch ms).
 *
 * At each sample i the source's change since the window began, x_i = index_i − index_0, is paired with the price's,
 * y_i = ln(price_i ÷ price_0); the coefficient is Pearson's over these pairs. Pearson's coefficient does not see a constant
 * offset, so index and ln price are kept as they are and no window has to be shifted. O(1) amortised a sample.
 *
 * Both are paths, so neighbouring samples resemble each other, and a high coefficient comes by chance more often than with
 * independent samples: hence `minUpdates` changes in the window, and the demand that both have gone the same way on the
 * whole. It is a reason to trust another signal more (US5-2), not a signal.
 *
 * @returns null while there is too little to measure or one side has not moved
 */
export function measure(track: SourceTrack, now: number, config: CorrelationAgentConfig): Measure | null {
  const first = track.recent[0];
  const hasChanges = track.recent.length === config.minUpdates && first !== undefined && first > now - config.windowMs;
  const samples = pairCount(track.pairs);
  if (!hasChanges || samples < config.minSamples) return null;
  const coefficient = pearson(track.pairs);
  const ends = windowEnds(track.pairs);
  if (coefficient === null || ends === null) return null;
  const sentiment = Math.sign(ends.newest.x - ends.oldest.x);
  const price = Math.sign(ends.newest.y - ends.oldest.y);
  const direction = sentiment !== price || price === 0 ? null : price > 0 ? 'up' : 'down';
  return { coefficient, samples, direction };
}
