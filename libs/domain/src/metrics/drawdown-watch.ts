import type { ObservedDrawdown } from './recording';

/**
 * The deepest fall below a running peak over any number of observations: O(1) each, nothing allocated. The start is the
 * first point, so a loss from the first trade on counts.
 *
 * Flows are no profit (rule 14): at a flow the peak moves by the same factor as the equity, as in `track` of the
 * valuation, so neither a deposit nor a withdrawal changes how deep the account is under water. An account that was
 * empty starts a new peak. A fall below zero gives a depth below −1: more was lost than there was.
 */
export class DrawdownWatch {
  private peak: number;
  private peakAt: number;
  private depth = 0;
  private amount = 0;
  private worstPeakAt: number;
  private troughAt: number;

  /** @param startsAt epoch ms @param startEquity settlement asset, before the first trade */
  constructor(startsAt: number, startEquity: number) {
    if (!Number.isFinite(startEquity)) throw new RangeError(`The start equity is ${startEquity}; it must be finite.`);
    this.peak = startEquity;
    this.peakAt = startsAt;
    this.worstPeakAt = startsAt;
    this.troughAt = startsAt;
  }

  /**
   * @param at epoch ms, never before the last one
   * @param equity settlement asset, the flow included
   * @param flow deposits − withdrawals since the last observation
   * @throws RangeError when the equity or the flow is no finite number
   */
  observe(at: number, equity: number, flow = 0): void {
    // A difference of finite numbers is zero with itself; NaN and the infinities give NaN.
    if (equity - equity !== 0 || flow - flow !== 0) refuse(at, equity, flow);
    if (flow !== 0) this.movePeak(at, equity, equity - flow);
    if (equity >= this.peak) {
      this.peak = equity;
      this.peakAt = at;
      return;
    }
    if (this.peak <= 0) return;
    const depth = (equity - this.peak) / this.peak;
    if (depth >= this.depth) return;
    this.depth = depth;
    this.amount = equity - this.peak;
    this.worstPeakAt = this.peakAt;
    this.troughAt = at;
  }

  /** What was found so far: depth and amount are 0, and both times the start, while the equity never fell. */
  worst(): ObservedDrawdown {
    return { depth: this.depth, amount: this.amount, peakAt: this.worstPeakAt, troughAt: this.troughAt };
  }

  private movePeak(at: number, equity: number, before: number): void {
    if (before <= 0 || equity <= 0 || before >= this.peak) {
      this.peak = Math.max(equity, 0);
      this.peakAt = at;
    } else {
      this.peak = (this.peak * equity) / before;
    }
  }
}

function refuse(at: number, equity: number, flow: number): never {
  throw new RangeError(
    `At ${at} the equity is ${equity} and the flow ${flow}; both must be finite. See what priced the position.`,
  );
}
