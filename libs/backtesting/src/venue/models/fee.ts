import { fromNumber, mul, type Decimal } from '@moon/domain';
import type { Instrument } from '@moon/domain';
import type { VenueConfig } from '../config';
import { feeTableOf, type FeeTable, type FeeTier } from './fee-tables';

/** What a fill costs. */
export interface FeeModel {
  /** Days of volume that decide about an instrument's rate; 0 = the volume decides nothing. */
  windowDays(instrument: Instrument): number;
  /**
   * @param volume quote volume that the account traded in those days
   * @returns share of the fill's value, e.g. "0.00045"; below zero is a rebate
   */
  rate(instrument: Instrument, liquidity: 'maker' | 'taker', volume: number): Decimal;
}

type Rates = Record<'maker' | 'taker', Decimal>;

/**
 * fee = value × rate, rounded once to the ledger scale by the books. The rate is the instrument's (HyperLiquid tier 0:
 * taker 0.045 %, maker 0.015 %) unless the configuration names one for all. With `tiers` it follows the account's
 * volume: by the table of the venue that trades the instrument, or by one of the configuration's own. The volume counts
 * whole UTC days up to yesterday, as HyperLiquid does (docs, trading/fees: assessed at the end of each day).
 */
export function createFeeModel(config: VenueConfig['fees']): FeeModel {
  const known = new WeakMap<Instrument, { table: FeeTable | null; rates: readonly Rates[] }>();
  const fixed = { maker: ofBps(config.makerBps), taker: ofBps(config.takerBps) };

  function lookUp(instrument: Instrument): { table: FeeTable | null; rates: readonly Rates[] } {
    let found = known.get(instrument);
    if (!found) {
      const table = tableOf(config, instrument);
      const flat = {
        maker: fixed.maker ?? fromNumber(instrument.fees.maker),
        taker: fixed.taker ?? fromNumber(instrument.fees.taker),
      };
      found = {
        table,
        rates: table === null ? [flat] : table.tiers.map((tier) => ratesOf(tier, fixed)),
      };
      known.set(instrument, found);
    }
    return found;
  }

  return {
    windowDays: (instrument) => lookUp(instrument).table?.windowDays ?? 0,
    rate(instrument, liquidity, volume) {
      const { table, rates } = lookUp(instrument);
      let at = 0;
      if (table !== null) while (at + 1 < rates.length && volume > (table.tiers[at + 1]?.above ?? Infinity)) at += 1;
      return (rates[at] as Rates)[liquidity];
    },
  };
}

function tableOf(config: VenueConfig['fees'], instrument: Instrument): FeeTable | null {
  if (config.tiers === 'none') return null;
  if (config.tiers === 'venue') return feeTableOf(instrument) ?? null;
  return config.tiers;
}

/** A rate that the configuration fixes stands above the table's. */
function ratesOf(tier: FeeTier, fixed: { maker: Decimal | null; taker: Decimal | null }): Rates {
  return {
    maker: fixed.maker ?? (ofBps(tier.makerBps) as Decimal),
    taker: fixed.taker ?? (ofBps(tier.takerBps) as Decimal),
  };
}

function ofBps(bps: number | null): Decimal | null {
  return bps === null ? null : mul(fromNumber(bps), '0.0001');
}
