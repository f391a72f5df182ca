import { add, cmp, div, mul, sub, type Decimal } from '../money';
import type { Instrument } from './instrument';

/** A margin tier with what follows from it; all decimals, `rate` and `deduction` to 18 places. */
export interface MaintenanceTier {
  lowerBound: Decimal;
  maxLeverage: number;
  /** Maintenance as a share of the notional: half the initial rate at the tier's highest leverage. */
  rate: Decimal;
  /** What the lower tiers ask less, so that the maintenance does not jump at a bound. */
  deduction: Decimal;
}

const PLACES = 18;
/** Instruments never change once made, so what follows from one is kept as long as it lives. */
const known = new WeakMap<Instrument, readonly MaintenanceTier[]>();

/**
 * The maintenance tiers of an instrument, rising; empty for spot.
 *
 * `rate_n = 1 / maxLeverage_n / 2`; `deduction_0 = 0`,
 * `deduction_n = deduction_{n−1} + lowerBound_n · (rate_n − rate_{n−1})` (HyperLiquid docs, trading/margin-tiers).
 */
export function maintenanceTiers(instrument: Instrument): readonly MaintenanceTier[] {
  const cached = known.get(instrument);
  if (cached !== undefined) return cached;
  const tiers: MaintenanceTier[] = [];
  for (const { lowerBound, maxLeverage } of instrument.marginTiers) {
    const rate = div('1', String(2 * maxLeverage), PLACES);
    const below = tiers[tiers.length - 1];
    const step = below === undefined ? '0' : mul(lowerBound, sub(rate, below.rate));
    tiers.push({ lowerBound, maxLeverage, rate, deduction: add(below?.deduction ?? '0', step) });
  }
  known.set(instrument, tiers);
  return tiers;
}

/** Maintenance margin of a position: `amount = notional · rate − deduction`, all in the settlement asset. */
export interface Maintenance {
  rate: Decimal;
  deduction: Decimal;
  amount: Decimal;
}

/**
 * @param notional absolute value of the position in the settlement asset, at least 0
 * @returns rate, deduction and amount of the tier that the notional falls in; all '0' for spot, which has no margin
 */
export function maintenance(instrument: Instrument, notional: Decimal): Maintenance {
  const tier = tierOf(instrument, notional);
  if (tier === undefined) return { rate: '0', deduction: '0', amount: '0' };
  return { rate: tier.rate, deduction: tier.deduction, amount: sub(mul(notional, tier.rate), tier.deduction) };
}

/**
 * Initial margin as a share of the notional: 1 / leverage, to 18 places.
 *
 * @throws RangeError when leverage is no whole number from 1 to the highest that the tier of this notional allows
 */
export function initialMarginRate(instrument: Instrument, leverage: number, notional: Decimal = '0'): Decimal {
  const highest = tierOf(instrument, notional)?.maxLeverage ?? 1;
  if (!Number.isSafeInteger(leverage) || leverage < 1 || leverage > highest) {
    throw new RangeError(
      `${instrument.id} allows a leverage of 1 to ${highest} at a notional of ${notional}; asked for ${leverage}.`,
    );
  }
  return div('1', String(leverage), PLACES);
}

function tierOf(instrument: Instrument, notional: Decimal): MaintenanceTier | undefined {
  const tiers = maintenanceTiers(instrument);
  for (let i = tiers.length - 1; i > 0; i -= 1) {
    const tier = tiers[i] as MaintenanceTier;
    if (cmp(notional, tier.lowerBound) > 0) return tier;
  }
  return tiers[0];
}
