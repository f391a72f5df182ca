import { add, sign, sub, type Decimal } from '../money';
import { DAY_MS, dayLabel, dayOf, type DailySeries } from './daily';
import type { ClosedTrade } from './recording';
import type { WhyAt } from './trade-figures';

/** A day, a week from Monday or a month, UTC; the first and the last may be cut by the run. */
export interface PeriodRow {
  /** `2022-03-01`, for a week its Monday's; `2022-03` for a month. */
  period: string;
  /** 00:00 UTC of its first day within the run, epoch ms. */
  from: number;
  /** Days of it within the run. */
  days: number;
  /** Change of equity, marked to market, less the flows; over all rows it sums to the net profit, exactly. */
  pnl: Decimal;
  flow: Decimal;
  return: number | null;
  /** Trades closed in it, those that won and lost, and their net result. */
  trades: number;
  wins: number;
  losses: number;
  closedPnl: Decimal;
}

const MONDAY_OFFSET_DAYS = 3;

const LABELS = {
  day: dayLabel,
  // 1970-01-01 was a Thursday, three days after a Monday.
  week: (day: number) => dayLabel(day - ((((day / DAY_MS + MONDAY_OFFSET_DAYS) % 7) + 7) % 7) * DAY_MS),
  month: (day: number) => dayLabel(day).slice(0, 7),
};

/** The result by day, week or month; a trade belongs to the period it was closed in. */
export function splitByPeriod(
  unit: keyof typeof LABELS,
  series: DailySeries,
  booked: { startEquity: Decimal; trades: readonly ClosedTrade[] },
  whyAt: WhyAt,
): PeriodRow[] {
  const rows = new Map<string, PeriodRow>();
  let [equity, index]: [Decimal, number | null] = [booked.startEquity, 1];
  const opening = new Map<string, number | null>();
  for (const point of series.points) {
    const period = LABELS[unit](point.day);
    const row = rows.get(period) ?? emptyRow(period, point.day);
    if (!rows.has(period)) opening.set(period, index);
    rows.set(period, row);
    row.days += 1;
    row.flow = add(row.flow, point.flow);
    row.pnl = add(row.pnl, sub(sub(point.equity, equity), point.flow));
    row.return = growth(opening.get(period) ?? null, point.index);
    ({ equity, index } = point);
  }
  bookTrades(rows, booked.trades, series, LABELS[unit]);
  for (const row of rows.values()) if (row.return === null) whyAt('[].return')(missing(series));
  return [...rows.values()];
}

function emptyRow(period: string, from: number): PeriodRow {
  return { period, from, days: 0, pnl: '0', flow: '0', return: null, trades: 0, wins: 0, losses: 0, closedPnl: '0' };
}

function growth(from: number | null, to: number | null): number | null {
  return from === null || to === null || from <= 0 ? null : to / from - 1;
}

function missing(series: DailySeries): string {
  return series.indexMissing ?? series.returnsMissing ?? 'The period starts without equity.';
}

function bookTrades(
  rows: Map<string, PeriodRow>,
  trades: readonly ClosedTrade[],
  { points }: DailySeries,
  label: (day: number) => string,
): void {
  const [first, last] = [points[0]?.day ?? 0, points[points.length - 1]?.day ?? 0];
  for (const { closedAt, netPnl } of trades) {
    // The close of the last bar may be stamped 00:00 of the day after the last one.
    const row = rows.get(label(Math.min(Math.max(dayOf(closedAt), first), last)));
    if (row === undefined) continue;
    row.trades += 1;
    if (sign(netPnl) > 0) row.wins += 1;
    if (sign(netPnl) < 0) row.losses += 1;
    row.closedPnl = add(row.closedPnl, netPnl);
  }
}

/** A line of the table of monthly returns. */
export interface MonthlyReturns {
  year: number;
  /** January to December; null where the run has no day in the month. */
  months: (number | null)[];
  /** Of the year's days within the run: Π (1 + r) − 1 of its months. */
  total: number | null;
}

/** The table of monthly returns, one line a year of the run. */
export function monthlyReturns(byMonth: readonly PeriodRow[], whyAt: WhyAt): MonthlyReturns[] {
  const lines = new Map<number, MonthlyReturns>();
  for (const { period, return: earned } of byMonth) {
    const [year = 0, month = 0] = period.split('-').map(Number);
    const line = lines.get(year) ?? { year, months: new Array<number | null>(12).fill(null), total: 0 };
    lines.set(year, line);
    line.months[month - 1] = earned;
    line.total = line.total === null || earned === null ? null : (1 + line.total) * (1 + earned) - 1;
  }
  const years = [...lines.values()];
  if (years.some(({ months }) => months.includes(null)))
    whyAt('[].months[]')('The run has no day in the month, or no equity to earn on.');
  if (years.some(({ total }) => total === null)) whyAt('[].total')('A month of the year has no return.');
  return years;
}
