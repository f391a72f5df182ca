import type { TradeOrigin } from '@moon/domain';

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
