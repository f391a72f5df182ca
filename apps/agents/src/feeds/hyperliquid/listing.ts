import { instrumentForFeed, type Instrument } from '@moon/domain';
import { MessageRefused } from './fields';
import type { VenueTerms } from './parse-info';

const VENUE = 'HYPERLIQUID';
/** Prices of perpetuals have at most 6 − szDecimals decimals. */
const MAX_DECIMALS = 6;

/** @throws MessageRefused for a name that is no perpetual */
export function perpetual(coin: string): Instrument {
  const instrument = instrumentForFeed(VENUE, coin);
  if (instrument === undefined) throw new MessageRefused('unknown_coin', `"${coin}" is no name of a perpetual`);
  return instrument;
}

/** The instrument with the terms that the venue gives today; what it does not tell (fees, funding) is as known. */
export function withTerms(known: Instrument, terms: VenueTerms): Instrument {
  const { szDecimals, maxLeverage, tiers } = terms;
  return {
    ...known,
    priceRule: { type: 'significant', figures: 5, maxDecimals: Math.max(0, MAX_DECIMALS - szDecimals) },
    lot: szDecimals === 0 ? '1' : `0.${'0'.repeat(szDecimals - 1)}1`,
    maxLeverage,
    marginTiers: tiers,
  };
}
