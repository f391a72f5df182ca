import type { EventData } from '@moon/events';
import { sign, toNumber, type Decimal, type TradeOrigin } from '@moon/domain';

/**
 * What is followed of one position from its opening to its end, beside the ledger: average prices, and how far its
 * result went either way. Float64, settlement asset; the ledger has the exact amounts.
 */
export class PositionTrack {
  /** Most adverse and most favourable result, mark to market, what was realised on the way included: mae ≤ 0 ≤ mfe. */
  mae = 0;
  mfe = 0;
  /** Result of what has been closed of it, before fees and funding. */
  realised = 0;
  private openedQuantity = 0;
  private openedValue = 0;
  private closedQuantity = 0;
  private closedValue = 0;

  /** @param openedAt epoch ms */
  constructor(
    readonly openedAt: number,
    readonly entry: TradeOrigin,
  ) {}

  opened(quantity: number, price: number): void {
    this.openedQuantity += quantity;
    this.openedValue += quantity * price;
  }

  closed(quantity: number, price: number): void {
    this.closedQuantity += quantity;
    this.closedValue += quantity * price;
  }

  /** @param unrealised value less cost of what is held, at one price */
  seen(unrealised: number): void {
    const result = this.realised + unrealised;
    if (result < this.mae) this.mae = result;
    else if (result > this.mfe) this.mfe = result;
  }

  get entryPrice(): number {
    return this.openedQuantity === 0 ? 0 : this.openedValue / this.openedQuantity;
  }

  get exitPrice(): number {
    return this.closedQuantity === 0 ? 0 : this.closedValue / this.closedQuantity;
  }
}

/** What a fill did to a position: its signed quantity before and after, and what the fill came from. */
interface Moved {
  before: Decimal;
  after: Decimal;
  origin: TradeOrigin;
}

/** The tracks of one portfolio's positions, by instrument. */
export class PositionTracks {
  private readonly tracks = new Map<string, PositionTrack>();
  /** Positions that a fill has just closed and whose `position.closed` is about to come. */
  private readonly closing = new Map<string, { track: PositionTrack; exit: TradeOrigin }>();

  of(instrument: string): PositionTrack | undefined {
    return this.tracks.get(instrument);
  }

  /** A position that was there at the start. */
  initial({ id, data }: { id: string; data: EventData<'portfolio.position_opened'> }): void {
    const entry: TradeOrigin = { eventId: id, orderId: null, reason: 'initial', decisionId: null, agents: [] };
    const track = new PositionTrack(data.timestamp, entry);
    track.opened(toNumber(data.quantity), toNumber(data.price));
    this.tracks.set(data.instrument, track);
  }

  /** Splits a fill into what it closed and what it opened. */
  filled(fill: EventData<'portfolio.fill_booked'>, { before, after, origin }: Moved): void {
    const { instrument, timestamp, side, realisedPnl } = fill;
    const [quantity, price] = [toNumber(fill.quantity), toNumber(fill.price)];
    const track = this.tracks.get(instrument);
    const isAdding = sign(before) === 0 || sign(before) > 0 === (side === 'buy');
    if (track !== undefined && isAdding) return track.opened(quantity, price);
    if (track !== undefined) {
      const isOver = sign(after) !== sign(before);
      track.closed(isOver ? Math.abs(toNumber(before)) : quantity, price);
      track.realised += toNumber(realisedPnl);
      if (!isOver) return;
      // Its last result is the one that it was closed with.
      track.seen(0);
      this.tracks.delete(instrument);
      this.closing.set(instrument, { track, exit: origin });
    }
    if (sign(after) === 0) return;
    const next = new PositionTrack(timestamp, origin);
    next.opened(Math.abs(toNumber(after)), price);
    this.tracks.set(instrument, next);
  }

  /** The position that the fill just before has closed. @throws Error when there was none */
  takeClosed(instrument: string): { track: PositionTrack; exit: TradeOrigin } {
    const closing = this.closing.get(instrument);
    if (closing === undefined)
      throw new Error(`A position in ${instrument} is said to be closed, but no fill closed it.`);
    this.closing.delete(instrument);
    return closing;
  }
}
