import type { EventData } from '@moon/events';
import { clamp, noView, type View } from '../../agent-kit';
import type { FundingAgentConfig } from './config';
import type { RateMemory } from './state';

const HOUR = 3_600_000;
const HOURS_A_YEAR = 8_760;
/** A token with more instruments than this is a mistake; the rate that is oldest makes room. */
const MAX_INSTRUMENTS = 50;

/** Annual fraction of a rate paid every `intervalHours`: venues' raw rates differ by a factor of 8 for the same cost. */
export function annualRate(rate: number, intervalHours: number): number {
  return (rate / intervalHours) * HOURS_A_YEAR;
}

/** Takes in one `funding.update`: the newest rate of an instrument counts, settled or predicted. @returns whether anything changed */
export function learn(rates: RateMemory[], update: EventData<'funding.update'>): boolean {
  if (!(update.intervalHours > 0)) return false;
  const fresh: RateMemory = {
    instrument: update.instrument,
    apr: annualRate(update.rate, update.intervalHours),
    intervalHours: update.intervalHours,
    at: update.timestamp,
  };
  const index = rates.findIndex((one) => one.instrument === update.instrument);
  if (index >= 0) {
    if (update.timestamp < rates[index]!.at) return false;
    rates[index] = fresh;
    return true;
  }
  if (rates.length >= MAX_INSTRUMENTS) rates.splice(oldest(rates), 1);
  rates.push(fresh);
  return true;
}

function oldest(rates: readonly RateMemory[]): number {
  return rates.reduce((best, one, index) => (one.at < rates[best]!.at ? index : best), 0);
}

/** 1 within the first interval, then falling linearly to 0 at `staleIntervals`. */
function freshness(memory: RateMemory, now: number, staleIntervals: number): number {
  const intervals = (now - memory.at) / (memory.intervalHours * HOUR);
  return clamp((staleIntervals - intervals) / (staleIntervals - 1), 0, 1);
}

/**
 * The agent's view at event time `now` (ms). With f = freshness of a rate and e = Σ f·(APR − neutralApr) ÷ Σ f over instruments:
 *
 * - |e| < mildExcess: HOLD, confidence 0.1·f
 * - mildExcess ≤ |e| ≤ mildUpTo: follow the side that pays (e > 0 BUY), score 72 + 6·q, confidence 0.3·f
 * - mildUpTo < |e| < extremeExcess: HOLD, confidence 0.1·f
 * - |e| ≥ extremeExcess: against the crowd (e > 0: longs crowded, SELL), q = (|e| − extreme) ÷ (full − extreme) in 0–1,
 *   score 78 + 17·q, confidence (0.6 + 0.35·q)·f
 *
 * f of the view is that of the freshest rate. No data or only stale data is no view: confidence 0.
 */
export function fundingView(rates: readonly RateMemory[], now: number, config: FundingAgentConfig): View {
  let weight = 0;
  let sum = 0;
  let fresh = 0;
  for (const memory of rates) {
    const f = freshness(memory, now, config.staleIntervals);
    weight += f;
    sum += f * (memory.apr - config.neutralApr);
    fresh = Math.max(fresh, f);
  }
  if (weight <= 0) return noView(rates.length === 0 ? 'no funding data' : 'all funding data is stale');
  return crowding(sum / weight, fresh, config);
}

function crowding(excess: number, fresh: number, config: FundingAgentConfig): View {
  const size = Math.abs(excess);
  const basis = `funding is ${percent(excess + config.neutralApr)} a year, ${percent(excess)} from neutral`;
  const payers = excess > 0 ? 'longs' : 'shorts';
  if (size >= config.extremeExcess) {
    const q = clamp((size - config.extremeExcess) / (config.fullExcess - config.extremeExcess), 0, 1);
    const action = excess > 0 ? 'SELL' : 'BUY';
    return {
      action,
      score: 78 + 17 * q,
      confidence: (0.6 + 0.35 * q) * fresh,
      reason: `${payers} are crowded: ${basis}`,
    };
  }
  if (config.followMild && size >= config.mildExcess && size <= config.mildUpTo) {
    const q = (size - config.mildExcess) / (config.mildUpTo - config.mildExcess);
    return {
      action: excess > 0 ? 'BUY' : 'SELL',
      score: 72 + 6 * q,
      confidence: 0.3 * fresh,
      reason: `${payers} lead without crowding: ${basis}`,
    };
  }
  return { action: 'HOLD', score: 50, confidence: 0.1 * fresh, reason: `nobody is clearly crowded: ${basis}` };
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}
