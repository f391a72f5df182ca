import type { EmbeddedPortfolio, TradeColumns } from '../embedded';
import { running, type Unpacked } from './unpack';

/** The trades of one portfolio, by their number, with absolute times. */
export class TradeList {
  readonly columns: TradeColumns;
  readonly openedAt: number[];
  readonly closedAt: number[];
  readonly fillAt: number[];

  constructor(
    readonly portfolio: EmbeddedPortfolio,
    private readonly report: Unpacked,
  ) {
    this.columns = portfolio.trades;
    this.openedAt = running(this.columns.openedAt);
    this.closedAt = this.openedAt.map((at, trade) => at + this.columns.heldMs[trade]!);
    this.fillAt = running(portfolio.fills.at);
  }

  get count(): number {
    return this.columns.id.length;
  }

  ofInstrument(instrument: string): number[] {
    return this.columns.instrument.flatMap((place, trade) =>
      this.report.instrument(place) === instrument ? [trade] : [],
    );
  }

  /** Numbers of the fills from the one that opened the trade to the one that closed it, in its instrument. */
  fillsOf(trade: number): number[] {
    const { fills } = this.portfolio;
    const [from, to] = [this.openedAt[trade]!, this.closedAt[trade]!];
    const [opening, closing] = [this.columns.entry.event[trade], this.columns.exit.event[trade]];
    const instrument = this.columns.instrument[trade];
    const own: number[] = [];
    for (let fill = firstAtLeast(this.fillAt, from); fill < this.fillAt.length && this.fillAt[fill]! <= to; fill += 1) {
      if (fills.instrument[fill] === instrument) own.push(fill);
    }
    // At one instant an earlier trade may end and this one begin: its own first and last fill are known by id.
    const first = own.findIndex((fill) => fills.id[fill] === opening);
    const last = own.findIndex((fill) => fills.id[fill] === closing);
    return own.slice(first === -1 ? 0 : first, last === -1 ? own.length : last + 1);
  }

  /** The trade whose life the fill belongs to; where one fill ends a trade and opens another, the one that it opened. */
  ofFill(fill: number): number | null {
    const at = this.fillAt[fill]!;
    const instrument = this.portfolio.fills.instrument[fill];
    let found: number | null = null;
    for (let trade = 0; trade < this.count && this.openedAt[trade]! <= at; trade += 1) {
      if (this.columns.instrument[trade] === instrument && this.closedAt[trade]! >= at) found = trade;
    }
    return found;
  }
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
