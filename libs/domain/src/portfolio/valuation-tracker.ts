const DAY_MS = 86_400_000;

/**
 * What drawdown and the day's profit remember between valuations. Plain JSON; the caller keeps it in its state and
 * `valuation` moves it on. Settlement asset, epoch ms.
 */
export interface ValuationTracker {
  /** The first valuation was made. */
  started: boolean;
  /** Highest equity so far, moved by deposits and withdrawals in proportion. */
  peak: number;
  /** The same since the UTC day began. */
  dayPeak: number;
  /** UTC day number of the last valuation. */
  day: number;
  /** Equity and net flows at the last valuation of the day before. */
  dayStartEquity: number;
  dayStartFlows: number;
  equity: number;
  flows: number;
}

export function createValuationTracker(): ValuationTracker {
  return { started: false, peak: 0, dayPeak: 0, day: 0, dayStartEquity: 0, dayStartFlows: 0, equity: 0, flows: 0 };
}

/**
 * Takes one more valuation into account. `flows` is deposits − withdrawals over the portfolio's life.
 *
 * Flows are no profit (rule 14): a peak is scaled by what the flow did to the equity, so a withdrawal in a drawdown
 * leaves the drawdown as it was; the day's profit is the change of equity less the day's flows. A day starts at the
 * last value before midnight UTC, a portfolio at what was paid in.
 */
export function track(tracker: ValuationTracker, equity: number, flows: number, now: number): void {
  const day = Math.floor(now / DAY_MS);
  if (!tracker.started) {
    Object.assign(tracker, {
      started: true,
      peak: flows,
      dayPeak: flows,
      day,
      dayStartEquity: flows,
      dayStartFlows: flows,
      flows,
    });
  } else if (day > tracker.day) {
    tracker.day = day;
    tracker.dayStartEquity = tracker.equity;
    tracker.dayStartFlows = tracker.flows;
    tracker.dayPeak = tracker.equity;
  }
  if (flows !== tracker.flows) {
    const before = equity - (flows - tracker.flows);
    tracker.peak = scaled(tracker.peak, before, equity);
    tracker.dayPeak = scaled(tracker.dayPeak, before, equity);
    tracker.flows = flows;
  }
  if (equity > tracker.peak) tracker.peak = equity;
  if (equity > tracker.dayPeak) tracker.dayPeak = equity;
  tracker.equity = equity;
}

/** A peak after a flow; a flow into an empty account starts a new one. */
function scaled(peak: number, before: number, after: number): number {
  return before > 0 && after > 0 ? (Math.max(peak, before) * after) / before : Math.max(after, 0);
}

/** Fraction by which equity is below a peak; 0 without one. */
export function drawdownFrom(peak: number, equity: number): number {
  return peak > 0 && equity < peak ? (peak - equity) / peak : 0;
}
