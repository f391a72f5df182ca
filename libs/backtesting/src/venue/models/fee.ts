import { fromNumber, mul, type Decimal } from '@moon/domain';
import type { Instrument } from '@moon/domain';
import type { VenueConfig } from '../config';

/** What a fill costs. */
export interface FeeModel {
  /** Share of the fill's value, e.g. "0.00045"; below zero is a rebate. */
  rate(instrument: Instrument, liquidity: 'maker' | 'taker'): Decimal;
}

/**
 * fee = value × rate, rounded once to the ledger scale by the books. The rate is the instrument's (HyperLiquid tier 0:
 * taker 0.045 %, maker 0.015 %) unless the configuration names one for all.
 */
export function createFeeModel(config: VenueConfig['fees']): FeeModel {
  const fixed = {
    maker: config.makerBps === null ? null : mul(fromNumber(config.makerBps), '0.0001'),
    taker: config.takerBps === null ? null : mul(fromNumber(config.takerBps), '0.0001'),
  };
  const known = new WeakMap<Instrument, Record<'maker' | 'taker', Decimal>>();
  return {
    rate(instrument, liquidity) {
      let rates = known.get(instrument);
      if (!rates) {
        rates = {
          maker: fixed.maker ?? fromNumber(instrument.fees.maker),
          taker: fixed.taker ?? fromNumber(instrument.fees.taker),
        };
        known.set(instrument, rates);
      }
      return rates[liquidity];
    },
  };
}
