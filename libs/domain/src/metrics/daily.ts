import { add, isZero, toNumber, type Decimal } from '../money';
import type { DayClose } from './recording';

export const DAY_MS = 86_400_000;

/** What a daily series is made from: a recording, or a total of several. */
interface Recorded {
  portfolio: string;
  startsAt: number;
  endsAt: number;
  startEquity: Decimal;
  days: readonly DayClose[];
}

/** 00:00 UTC of the day an instant falls in, epoch ms. */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}

/** `2022-03-01` of 00:00 UTC of a day. */
export function dayLabel(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

/**
 * A close for every UTC day of the run. A day without an observation, because nothing was held or no price came,
 * closes where the day before closed: it passed, and annual figures count it.
 *
 * The last day is the one that the last millisecond before `endsAt` lies in: a run that ends at 00:00 with the close of
 * the last bar has no day after it, unless one was recorded.
 *
 * @throws RangeError when the recorded days are no UTC days in rising order
 */
export function everyDay(recorded: Recorded): DayClose[] {
  const { days, startsAt, endsAt } = recorded;
  for (const [index, { day }] of days.entries()) {
    if (day % DAY_MS !== 0 || day <= (days[index - 1]?.day ?? Number.NEGATIVE_INFINITY))
      throw new RangeError(
        `days[${index}] of portfolio ${recorded.portfolio} is ${day}: days must be 00:00 UTC in epoch ms, each once, in order.`,
      );
  }
  const first = Math.min(days[0]?.day ?? Number.POSITIVE_INFINITY, dayOf(startsAt));
  const last = Math.max(days[days.length - 1]?.day ?? first, dayOf(Math.max(startsAt, endsAt - 1)));
  const closes: DayClose[] = [];
  let [next, equity, exposure] = [0, recorded.startEquity, 0];
  for (let day = first; day <= last; day += DAY_MS) {
    const close = days[next];
    if (close?.day === day) {
      closes.push(close);
      ({ equity, exposure } = close);
      next += 1;
    } else closes.push({ day, equity, flow: '0', exposure });
  }
  return closes;
}

/** A day of the series that returns, drawdowns and charts are made from. */
export interface DailyPoint {
  /** 00:00 UTC of the day, epoch ms. */
  day: number;
  equity: Decimal;
  flow: Decimal;
  /** Flow-adjusted; null where there was no equity to earn on. */
  return: number | null;
  /** What one unit invested at the start has become; null from the first undefined return on, if there are flows. */
  index: number | null;
  /** Index ÷ its highest value so far − 1; zero or below. */
  underwater: number | null;
  /** Gross notional ÷ equity at the close. */
  exposure: number;
}

export interface DailySeries {
  points: DailyPoint[];
  /** Why returns, or values of the index, are missing; null when none is. */
  returnsMissing: string | null;
  indexMissing: string | null;
}

/**
 * Daily flow-adjusted returns, the first one against the start equity:
 *
 *     r(d) = (E(d) − F(d) − E(d−1)) ÷ (E(d−1) + max(F(d), 0))
 *
 * E = equity at the day's close, F = deposits − withdrawals of the day. The flow is taken out of the profit; a deposit
 * counts as capital of the whole day and a withdrawal as capital until its end, so that no day loses more than there
 * was. Without a flow it is E(d) ÷ E(d−1) − 1.
 */
export function dailySeries(recorded: Recorded): DailySeries {
  const closes = everyDay(recorded);
  const start = toNumber(recorded.startEquity);
  const flows = closes.some(({ flow }) => !isZero(flow));
  const series: DailySeries = { points: [], returnsMissing: null, indexMissing: null };
  let previous = start;
  let growth: number | null = start > 0 ? 1 : null;
  let peak = 1;
  if (growth === null) series.indexMissing = 'The run starts without equity.';
  for (const { day, equity: exact, flow: exactFlow, exposure } of closes) {
    const [equity, flow] = [toNumber(exact), toNumber(exactFlow)];
    const base = previous + Math.max(flow, 0);
    const earned = base > 0 ? (equity + Math.max(-flow, 0)) / base - 1 : null;
    if (earned === null) series.returnsMissing ??= `There is no equity to earn on from ${dayLabel(day)} on.`;
    if (growth !== null && flows) growth = earned === null ? null : growth * (1 + earned);
    else if (growth !== null) growth = equity / start;
    if (growth === null) series.indexMissing ??= series.returnsMissing;
    else peak = Math.max(peak, growth);
    const underwater = growth === null ? null : (growth - peak) / peak;
    series.points.push({ day, equity: exact, flow: exactFlow, return: earned, index: growth, underwater, exposure });
    previous = equity;
  }
  return series;
}

/** Deposits less withdrawals of the run, exact; without those it starts with. */
export function flowsOf(recorded: { days: readonly DayClose[] }): Decimal {
  return recorded.days.reduce((total, { flow }) => add(total, flow), '0');
}
