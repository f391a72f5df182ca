import type { Decimal } from '../money';

/** How a venue bounds the digits of a price. */
export type PriceRule =
  /** Prices are whole multiples of `tick`. */
  | { type: 'tick'; tick: Decimal }
  /** At most `figures` significant figures and `maxDecimals` decimals; a whole number is always allowed (HyperLiquid). */
  | { type: 'significant'; figures: number; maxDecimals: number };

/** From a position's notional of `lowerBound` (settlement asset) on, at most `maxLeverage`. */
export interface MarginTier {
  lowerBound: Decimal;
  maxLeverage: number;
}

/** What is traded where, by which rules (rule 11). Plain JSON; a change of a rule is a new listing. */
export interface Instrument {
  /** `${symbol}.${venue}`, e.g. BTCUSDT.BINANCE-SPOT. */
  id: string;
  venue: string;
  /** The venue's own name. */
  symbol: string;
  /** What agents and topics group by. It is no unit: PEPE groups 1000PEPEUSDT and kPEPE. */
  token: string;
  base: string;
  quote: string;
  /** Asset in which margin, profit, fees and funding are paid. */
  settlement: string;
  /** spot: quantity in base · linear: contracts of `multiplier` base, settled in quote · inverse: contracts of `multiplier` quote, settled in base. */
  kind: 'spot' | 'linear' | 'inverse';
  priceRule: PriceRule;
  /** Quantities are whole multiples of it. */
  lot: Decimal;
  /** Smallest value of an order, in quote. 0 = none known. */
  minNotional: Decimal;
  multiplier: Decimal;
  /** Of the lowest tier; 1 for spot. */
  maxLeverage: number;
  /** Rising by lowerBound, the first from 0; empty for spot. */
  marginTiers: readonly MarginTier[];
  /** Shares of the notional, at the venue's lowest volume tier; negative = rebate. */
  fees: { taker: number; maker: number };
  /** null: no funding. */
  fundingIntervalHours: number | null;
  /** Epoch ms; null = as long as anybody can trade it here. Definitions without a known change hold for all recorded history. */
  validFrom: number | null;
  validTo: number | null;
}
