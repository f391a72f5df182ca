import { add, isZero, toNumber } from '../money';
import { CurveSampler } from './curve-sampler';
import { everyDay } from './daily';
import type { DayClose, EquityPoint, PortfolioRecording } from './recording';
import { total } from './trade-figures';
import type { MeasuredRecording } from './types';

export type Combined = { recording: MeasuredRecording } | { recording: null; undefinedBecause: string };

/**
 * Adds several portfolios of one run up to a total, which `computeMetrics` takes like any other. Equity before a
 * portfolio's first observation is its start equity, after its last one its final equity.
 *
 * Ledger amounts and daily closes add exactly. The deepest fall over all observations and the time with any position
 * do not follow from those of the parts: they are null, unless there is one part only. There is no total over
 * different settlement assets, as nothing says what one is worth in the other.
 */
export function combineRecordings(name: string, parts: readonly PortfolioRecording[]): Combined {
  const [first, ...rest] = parts;
  if (first === undefined) return { recording: null, undefinedBecause: 'There is no portfolio to add up.' };
  if (rest.length === 0) return { recording: { ...first, portfolio: name } };
  const assets = [...new Set(parts.map(({ settlementAsset }) => settlementAsset))].sort();
  if (assets.length > 1)
    return {
      recording: null,
      undefinedBecause: `The portfolios settle in ${assets.join(', ')}: there is no total without rates between them.`,
    };
  const startsAt = parts.reduce((earliest, part) => Math.min(earliest, part.startsAt), first.startsAt);
  const endsAt = parts.reduce((latest, part) => Math.max(latest, part.endsAt), first.endsAt);
  return {
    recording: {
      portfolio: name,
      settlementAsset: first.settlementAsset,
      startsAt,
      endsAt,
      startEquity: total(parts.map(({ startEquity }) => startEquity)),
      finalEquity: total(parts.map(({ finalEquity }) => finalEquity)),
      finalCash: total(parts.map(({ finalCash }) => finalCash)),
      observations: parts.reduce((count, { observations }) => count + observations, 0),
      days: addDays(parts, { startsAt, endsAt }),
      worst: null,
      curve: addCurves(parts, startsAt),
      trades: merge(
        parts,
        ({ trades }) => trades,
        ({ closedAt }) => closedAt,
      ),
      fills: merge(
        parts,
        ({ fills }) => fills,
        ({ at }) => at,
      ),
      fundings: merge(
        parts,
        ({ fundings }) => fundings,
        ({ at }) => at,
      ),
      open: parts.flatMap(({ open }) => open),
      exposedMs: null,
      meanExposure: null,
    },
  };
}

function merge<T>(
  parts: readonly PortfolioRecording[],
  of: (part: PortfolioRecording) => readonly T[],
  at: (one: T) => number,
): T[] {
  return parts.flatMap(of).sort((a, b) => at(a) - at(b));
}

function addDays(parts: readonly PortfolioRecording[], run: { startsAt: number; endsAt: number }): DayClose[] {
  // Every part is filled up to the same days: those of the run and any that a part recorded beyond them.
  const recorded = parts.flatMap(({ days }) => days.map(({ day }) => day));
  const startsAt = recorded.reduce((first, day) => Math.min(first, day), run.startsAt);
  const endsAt = recorded.reduce((last, day) => Math.max(last, day + 1), run.endsAt);
  const days = new Map<number, DayClose & { exposed: number }>();
  for (const part of parts) {
    for (const close of everyDay({ ...part, startsAt, endsAt })) {
      const { day, equity, flow, exposure } = close;
      const sums = days.get(day) ?? { day, equity: '0', flow: '0', exposure: 0, exposed: 0 };
      days.set(day, {
        day,
        equity: add(sums.equity, equity),
        flow: add(sums.flow, flow),
        exposure: 0,
        exposed: sums.exposed + exposure * toNumber(equity),
      });
    }
  }
  return [...days.values()]
    .sort((a, b) => a.day - b.day)
    .map(({ exposed, ...close }) => ({
      ...close,
      exposure: isZero(close.equity) ? 0 : exposed / toNumber(close.equity),
    }));
}

/** For charts: at each point of any curve the sum of the last points of all of them. */
function addCurves(parts: readonly PortfolioRecording[], startsAt: number): EquityPoint[] {
  const steps = parts.flatMap(({ curve }, part) => curve.map(({ at, equity }) => ({ at, equity, part })));
  steps.sort((a, b) => a.at - b.at || a.part - b.part);
  const equities = parts.map(({ startEquity }) => toNumber(startEquity));
  const sumNow = () => equities.reduce((all, equity) => all + equity, 0);
  const sampler = new CurveSampler(startsAt, sumNow());
  for (const [index, { at, equity, part }] of steps.entries()) {
    equities[part] = equity;
    // What happens at one instant shows once, when all of it has happened.
    if (steps[index + 1]?.at !== at) sampler.observe(Math.max(at, startsAt), sumNow());
  }
  return sampler.points();
}
