import { maintenanceTiers, type Instrument } from '../instruments';
import { toNumber } from '../money';

/** A maintenance tier in float64: maintenance = notional × rate − deduction from `floor` on. */
interface Tier {
  readonly floor: number;
  readonly rate: number;
  readonly deduction: number;
}

/** What valuation needs of an instrument, in float64. */
export interface Contract {
  readonly inverse: boolean;
  readonly multiplier: number;
  /** Rising by floor; empty when nothing is ever liquidated. */
  readonly tiers: readonly Tier[];
}

/** Instruments never change once made. */
const contracts = new WeakMap<Instrument, Contract>();

export function contractOf(instrument: Instrument): Contract {
  const known = contracts.get(instrument);
  if (known !== undefined) return known;
  const contract = {
    inverse: instrument.kind === 'inverse',
    multiplier: toNumber(instrument.multiplier),
    tiers: maintenanceTiers(instrument).map(({ lowerBound, rate, deduction }) => ({
      floor: toNumber(lowerBound),
      rate: toNumber(rate),
      deduction: toNumber(deduction),
    })),
  };
  contracts.set(instrument, contract);
  return contract;
}

/** Maintenance margin of a position of this notional, settlement asset. */
export function maintenanceOf(contract: Contract, notional: number): number {
  const { tiers } = contract;
  for (let index = tiers.length - 1; index >= 0; index--) {
    const tier = tiers[index];
    if (tier !== undefined && (notional > tier.floor || index === 0)) return notional * tier.rate - tier.deduction;
  }
  return 0;
}

/**
 * The price at which equity meets maintenance: margin + value(p) − cost = rate·|value(p)| − deduction.
 *
 * This is HyperLiquid's `liq = price − side · margin_available / |size| / (1 − l · side)` (docs, trading/liquidations)
 * solved for the tier that applies at the liquidation price. Maintenance is the largest of the tiers' lines, so the
 * position is liquidated by the tier that gets there first: the highest root of a long, the lowest of a short.
 *
 * @param quantity signed, units of the instrument @param cost signed cost basis @param margin what stands behind the position besides its own profit
 * @returns for a long 0 or less = at no price, Infinity = at every price; for a short Infinity = at no price, 0 or less = at every price
 */
export function liquidationRoot(contract: Contract, quantity: number, cost: number, margin: number): number {
  const { tiers, multiplier, inverse } = contract;
  const long = quantity > 0;
  const side = long ? 1 : -1;
  const size = Math.abs(quantity) * multiplier;
  let root = long ? 0 : Number.POSITIVE_INFINITY;
  for (let index = 0; index < tiers.length; index++) {
    const tier = tiers[index];
    if (tier === undefined) continue;
    const price = inverse
      ? inverseRoot(size * (tier.rate + side), margin + tier.deduction - cost, long)
      : (cost - margin - tier.deduction) / (size * (side - tier.rate));
    if (long ? price > root : price < root) root = price;
  }
  return root;
}

/** p = numerator ÷ denominator as long as it is a price; a coin's worth of profit is bounded, so there may be none. */
function inverseRoot(numerator: number, denominator: number, long: boolean): number {
  if (long) return denominator > 0 ? numerator / denominator : Number.POSITIVE_INFINITY;
  return denominator < 0 ? numerator / denominator : Number.POSITIVE_INFINITY;
}

/**
 * The mark price at which a position is liquidated, or null when no positive price does it.
 *
 * @param position.quantity signed, units of the instrument
 * @param position.margin settlement asset. Isolated: what is set aside for the position. Cross: the account value
 *   without this position's unrealised profit, less the maintenance of the other positions.
 */
export function liquidationPrice(
  position: { quantity: number; entryPrice: number; margin: number },
  instrument: Instrument,
): number | null {
  const contract = contractOf(instrument);
  const units = position.quantity * contract.multiplier;
  const cost = contract.inverse ? -units / position.entryPrice : units * position.entryPrice;
  const root = liquidationRoot(contract, position.quantity, cost, position.margin);
  return root > 0 && root < Number.POSITIVE_INFINITY ? root : null;
}
