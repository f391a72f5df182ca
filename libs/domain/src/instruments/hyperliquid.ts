import type { Decimal } from '../money';
import type { Instrument, MarginTier } from './instrument';
import { tokenOf } from './tokens';

const VENUE = 'HYPERLIQUID';
/** Perpetuals have at most 6 − szDecimals decimals in a price (docs, tick-and-lot-size). */
const MAX_DECIMALS = 6;

type Terms = readonly [
  szDecimals: number,
  maxLeverage: number,
  tiers?: readonly [lowerBound: Decimal, maxLeverage: number][],
];

/** "0–20M 10x, above 5x" and "0–3M 10x, above 5x" of the docs' margin tiers. */
const LARGE: Terms[2] = [['20000000', 5]];
const SMALL: Terms[2] = [['3000000', 5]];

/**
 * Mainnet perpetuals: szDecimals and maxLeverage as `meta` serves them, tiers from the docs (trading/margin-tiers, 2026-08).
 * A live feed sends `instrument.listed` with what the venue says that day; this table is what there is without a network.
 */
const PERPETUALS: Readonly<Record<string, Terms>> = {
  BTC: [5, 40, [['150000000', 20]]],
  ETH: [4, 25, [['100000000', 15]]],
  SOL: [2, 20, [['70000000', 10]]],
  XRP: [0, 20, [['40000000', 10]]],
  AAVE: [2, 10, LARGE],
  ADA: [0, 10, LARGE],
  APE: [1, 5],
  APT: [2, 10, LARGE],
  ARB: [1, 10, SMALL],
  ATOM: [2, 5],
  AVAX: [2, 10, LARGE],
  BCH: [3, 10, LARGE],
  BNB: [3, 10, SMALL],
  CRV: [1, 10, LARGE],
  DOGE: [0, 10, LARGE],
  DOT: [1, 10, SMALL],
  DYDX: [1, 5],
  ENA: [0, 10, LARGE],
  FARTCOIN: [1, 10, LARGE],
  HYPE: [2, 10, LARGE],
  INJ: [1, 5],
  JUP: [0, 10, SMALL],
  LINK: [1, 10, LARGE],
  LTC: [2, 10, LARGE],
  MATIC: [1, 20],
  NEAR: [1, 10, LARGE],
  ONDO: [0, 10, SMALL],
  OP: [1, 5],
  SUI: [1, 10, LARGE],
  TRUMP: [1, 10, LARGE],
  TRX: [0, 10, SMALL],
  UNI: [1, 10, LARGE],
  WIF: [0, 5],
  WLD: [1, 10, LARGE],
  kBONK: [0, 10, LARGE],
  kPEPE: [0, 10, LARGE],
  kSHIB: [0, 10, SMALL],
};

/** HyperLiquid's perpetuals known here, as instruments. */
export function hyperliquidInstruments(): Instrument[] {
  return Object.entries(PERPETUALS).map(([coin, terms]) => perpetual(coin, terms));
}

/**
 * A perpetual that the table does not have: the coarsest lot (whole coins, on the lot of any coin) and the lowest leverage
 * that the venue gives. Names of spot pairs (`@107`, `PURR/USDC`) and of builder markets (`xyz:XYZ100`) are not perpetuals: undefined.
 */
export function deriveHyperliquid(symbol: string): Instrument | undefined {
  return /^k?[A-Z0-9]{1,20}$/.test(symbol) ? perpetual(symbol, [0, 3]) : undefined;
}

function perpetual(coin: string, [szDecimals, maxLeverage, above = []]: Terms): Instrument {
  const tiers: MarginTier[] = above.map(([lowerBound, leverage]) => ({ lowerBound, maxLeverage: leverage }));
  return {
    id: `${coin}.${VENUE}`,
    venue: VENUE,
    symbol: coin,
    token: tokenOf(coin),
    base: coin,
    quote: 'USD',
    settlement: 'USDC',
    kind: 'linear',
    priceRule: { type: 'significant', figures: 5, maxDecimals: MAX_DECIMALS - szDecimals },
    lot: szDecimals === 0 ? '1' : `0.${'0'.repeat(szDecimals - 1)}1`,
    minNotional: '10',
    multiplier: '1',
    maxLeverage,
    marginTiers: [{ lowerBound: '0', maxLeverage }, ...tiers],
    fees: { taker: 0.00045, maker: 0.00015 },
    fundingIntervalHours: 1,
    validFrom: null,
    validTo: null,
  };
}
