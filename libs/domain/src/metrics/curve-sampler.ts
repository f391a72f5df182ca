import type { EquityPoint } from './recording';

/** Stretches that are kept; with three points each and the start a curve has at most 1,999 points. */
const MOST_STRETCHES = 666;
/** What is kept of a stretch, in this order. */
const [LOW_AT, LOW, HIGH_AT, HIGH, LAST_AT, LAST, KEPT] = [0, 1, 2, 3, 4, 5, 6];

/**
 * An equity curve of bounded size from a run of unknown length: time is cut into stretches of equal width, of each the
 * lowest, the highest and the last value are kept, so no fall is smoothed away. When all places are taken the width
 * doubles and neighbours merge; it starts at one millisecond, so that happens at most some 45 times in any run and an
 * observation costs O(1) amortised. Nothing is allocated after the start. Stretches without observations take no place.
 */
export class CurveSampler {
  private readonly data = new Float64Array(MOST_STRETCHES * KEPT);
  private stretches = 0;
  private widthMs = 1;
  /** Where the current stretch ends, exclusive. */
  private endsAt: number;
  private lastAt: number;

  /** @param startsAt epoch ms @param startEquity settlement asset, before the first trade: the curve's first point */
  constructor(
    private readonly startsAt: number,
    private readonly startEquity: number,
  ) {
    this.endsAt = startsAt;
    this.lastAt = startsAt;
  }

  /**
   * @param at epoch ms, never before the last one
   * @param equity settlement asset
   * @throws RangeError when time runs backwards or the equity is no finite number
   */
  observe(at: number, equity: number): void {
    // A difference of finite numbers is zero with itself; NaN and the infinities give NaN.
    if (!(at >= this.lastAt) || equity - equity !== 0) this.refuse(at, equity);
    this.lastAt = at;
    if (at >= this.endsAt) {
      this.begin(at, equity);
      return;
    }
    const data = this.data;
    const base = (this.stretches - 1) * KEPT;
    if (equity < (data[base + LOW] as number)) {
      data[base + LOW_AT] = at;
      data[base + LOW] = equity;
    }
    if (equity > (data[base + HIGH] as number)) {
      data[base + HIGH_AT] = at;
      data[base + HIGH] = equity;
    }
    data[base + LAST_AT] = at;
    data[base + LAST] = equity;
  }

  /** The curve so far: the start, then of each stretch what differs among lowest, highest and last, in order of time. */
  points(): EquityPoint[] {
    const points: EquityPoint[] = [{ at: this.startsAt, equity: this.startEquity }];
    for (let stretch = 0; stretch < this.stretches; stretch++) {
      const base = stretch * KEPT;
      const lowFirst = (this.data[base + LOW_AT] as number) <= (this.data[base + HIGH_AT] as number);
      for (const place of lowFirst ? [LOW_AT, HIGH_AT, LAST_AT] : [HIGH_AT, LOW_AT, LAST_AT]) {
        const at = this.data[base + place] as number;
        const equity = this.data[base + place + 1] as number;
        const previous = points[points.length - 1];
        if (previous?.at !== at || previous.equity !== equity) points.push({ at, equity });
      }
    }
    return points;
  }

  private begin(at: number, equity: number): void {
    while (this.stretches === MOST_STRETCHES) this.widen();
    this.endsAt = this.stretchOf(at) + this.widthMs;
    const lastAt = this.data[(this.stretches - 1) * KEPT + LAST_AT];
    if (lastAt !== undefined && this.stretchOf(lastAt) === this.stretchOf(at)) {
      // The stretches were widened just now, and the newest one reaches as far as this observation.
      this.observe(at, equity);
      return;
    }
    const base = this.stretches * KEPT;
    for (let place = LOW_AT; place < KEPT; place += 2) {
      this.data[base + place] = at;
      this.data[base + place + 1] = equity;
    }
    this.stretches += 1;
  }

  /** When the stretch of an instant begins. */
  private stretchOf(at: number): number {
    return at - ((at - this.startsAt) % this.widthMs);
  }

  private widen(): void {
    this.widthMs *= 2;
    const { data } = this;
    let kept = 0;
    for (let stretch = 1; stretch < this.stretches; stretch++) {
      const from = stretch * KEPT;
      const into = kept * KEPT;
      if (this.stretchOf(data[from + LAST_AT] as number) === this.stretchOf(data[into + LAST_AT] as number)) {
        this.merge(from, into);
      } else {
        kept += 1;
        data.copyWithin(kept * KEPT, from, from + KEPT);
      }
    }
    this.stretches = kept + 1;
  }

  private merge(from: number, into: number): void {
    const { data } = this;
    if ((data[from + LOW] as number) < (data[into + LOW] as number))
      data.copyWithin(into + LOW_AT, from + LOW_AT, from + HIGH_AT);
    if ((data[from + HIGH] as number) > (data[into + HIGH] as number))
      data.copyWithin(into + HIGH_AT, from + HIGH_AT, from + LAST_AT);
    data.copyWithin(into + LAST_AT, from + LAST_AT, from + KEPT);
  }

  private refuse(at: number, equity: number): never {
    throw new RangeError(
      `At ${at}, after ${this.lastAt}, the equity is ${equity}: times must not run backwards, equities must be finite.`,
    );
  }
}
