import type { Trade } from './formats';

interface Seen {
  instrument: string;
  price: number;
  size: number;
  side: Trade['side'];
  count: number;
}

/**
 * Positions among equal trades of one instant (rule 3). Most instants have one trade: it is only remembered, and
 * filed under its numbers when a second one comes.
 */
export class TradeOrdinals {
  private instant = Number.NaN;
  private instrument = '';
  private price = 0;
  private size = 0;
  private side: Trade['side'] = 'buy';
  private isAlone = false;
  private readonly seen = new Map<number, Seen[]>();

  /** How many equal trades came before at the same instant; rows come in the order of their times. */
  next(instrument: string, { at, price, size, side }: Trade): number {
    if (at !== this.instant) {
      this.instant = at;
      this.instrument = instrument;
      this.price = price;
      this.size = size;
      this.side = side;
      this.isAlone = true;
      if (this.seen.size > 0) this.seen.clear();
      return 0;
    }
    if (this.isAlone) {
      this.isAlone = false;
      this.count(this.instrument, this.price, this.size, this.side);
    }
    return this.count(instrument, price, size, side);
  }

  private count(instrument: string, price: number, size: number, side: Trade['side']): number {
    // Any number that equal trades have in common will do; those that differ are told apart below.
    const place = price + size * Math.SQRT2;
    const group = this.seen.get(place);
    const known = group?.find(
      (one) => one.size === size && one.price === price && one.side === side && one.instrument === instrument,
    );
    if (known) return (known.count += 1);
    const fresh = { instrument, price, size, side, count: 0 };
    if (group) group.push(fresh);
    else this.seen.set(place, [fresh]);
    return 0;
  }
}
