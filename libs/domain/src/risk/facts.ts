import type { Instrument } from '../instruments';
import type { PlaceOrder } from '../handler';
import type { Decimal } from '../money';
import type { PortfolioState } from '../portfolio';
import type { LimitsConfig } from './limits-config';

/** The order that is judged. */
export type OrderIntent = Omit<PlaceOrder, 'type' | 'key' | 'sizing'>;

/**
 * What is known when an order is judged: every limit is a plain function of this. Numbers are float64 in settlement
 * asset unless said otherwise; null = not known, and a limit that needs it leaves the verdict to PRICE_MISSING.
 */
export interface LimitFacts {
  order: OrderIntent;
  bounds: LimitsConfig;
  /** The order's instrument; null when the portfolio does not trade it. */
  instrument: Instrument | null;
  portfolio: PortfolioFacts | null;
  price: PriceFacts | null;
  /** The portfolio as it would be if everything in flight and this order were filled; null without a price. */
  resulting: ResultingFacts | null;
  /** Orders approved in the second that ends now, without this one. */
  ordersInLastSecond: number;
  /** Id of the order that this one repeats. */
  duplicateOf: string | null;
}

export interface PortfolioFacts {
  accountModel: PortfolioState['config']['accountModel'];
  isReconciled: boolean;
  /** Halts in force, each as 'source: reason'. */
  halts: string[];
  equity: number;
  /** Fraction below the flow-adjusted peak. */
  drawdown: number;
  dayDrawdown: number;
  /** |position| − reducing orders in flight, when this order is on the reducing side; else '0'. */
  reducible: Decimal;
  /** The order takes away from the position and nothing else. */
  isReducing: boolean;
  /** Units held minus units in flight to be sold: what a cash account may sell. */
  sellable: Decimal;
}

export interface PriceFacts {
  mark: number;
  /** Event time minus the mark's, ms. */
  ageMs: number;
  /** What the order is expected to trade at: its limit or stop price, else the last price. */
  reference: number;
  /** Notional of the order at the reference price. */
  orderValue: number;
  /** The same in the quote asset, in which venues state their least notional. */
  quoteValue: number;
}

export interface ResultingFacts {
  /** Notional in the order's token. */
  tokenNotional: number;
  grossExposure: number;
  leverage: number;
  /** Distance to liquidation of the order's position; null when it cannot be liquidated. */
  distance: number | null;
  /** Margin or cash that would be left; below zero it is not enough. */
  available: number;
  /** Margin or cash that the order takes; 0 as long as there is enough. */
  required: number;
}
