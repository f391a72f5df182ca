import { findInstrument, type Instrument } from '@moon/domain';

/** How a made-up token behaves beside the others. */
export interface TokenProfile {
  token: string;
  instrument: Instrument;
  /** Number of its streams of random draws: by token, so that another choice of tokens changes nothing for this one. */
  stream: number;
  /** Price that the market hovers around over days, in quote currency. */
  basePrice: number;
  /** Moves by this times what the market moves. */
  beta: number;
  /** Value of a usual trade, in quote currency. */
  tradeValue: number;
}

type Terms = readonly [basePrice: number, beta: number, tradeValue: number];

/** Orders of magnitude as of 2025–26; the prices themselves are made up. */
const KNOWN: Readonly<Record<string, Terms>> = {
  BTC: [93_000, 1, 18_000],
  ETH: [3_150, 1.15, 12_000],
  SOL: [164, 1.4, 6_000],
  XRP: [2.2, 1.3, 3_000],
  DOGE: [0.21, 1.5, 2_000],
  HYPE: [37, 1.5, 3_000],
};

/** @throws Error for an instrument that is unknown or has no profile */
export function tokenProfile(id: string): TokenProfile {
  const instrument = findInstrument(id);
  const stream = Object.keys(KNOWN).indexOf(instrument?.token ?? '');
  const terms = KNOWN[instrument?.token ?? ''];
  if (instrument === undefined || terms === undefined || instrument.kind !== 'linear') {
    const tokens = Object.keys(KNOWN).join(', ');
    throw new Error(
      `The synthetic feed has no market for "${id}": it makes up perpetuals of ${tokens}, such as BTC.HYPERLIQUID.`,
    );
  }
  const [basePrice, beta, tradeValue] = terms;
  return { token: instrument.token, instrument, stream, basePrice, beta, tradeValue };
}

/** The price nearest to `price` that the venue accepts (see `isOnTick`), as a number. */
export function onGrid(instrument: Instrument, price: number): number {
  const rule = instrument.priceRule;
  if (rule.type === 'tick') {
    const tick = Number(rule.tick);
    return Number((Math.round(price / tick) * tick).toFixed(12));
  }
  const decimals = Math.min(rule.maxDecimals, rule.figures - 1 - Math.floor(Math.log10(price)));
  if (decimals < 0) return Math.round(price / 10 ** -decimals) * 10 ** -decimals;
  return Number(price.toFixed(decimals));
}

/** Quantities in whole lots, at least one. */
export function onLots(instrument: Instrument, quantity: number): number {
  const lot = Number(instrument.lot);
  const lots = Math.max(1, Math.round(quantity / lot));
  return Number((lots * lot).toFixed(8));
}
