import type { EmitData } from '@moon/events';
import { num15, toNumber } from '../money';
import type { Instrument, PriceRule } from './instrument';
import { maintenanceTiers } from './margin';

type Listing = EmitData<'instrument.listed'>;

/** Data of `instrument.listed`: the instrument as an input of the log. @param timestamp epoch ms from which these rules are known */
export function instrumentListing(instrument: Instrument, timestamp: number): Listing {
  const { id, venue, symbol, token, base, quote, settlement, kind, priceRule, lot, minNotional, multiplier } =
    instrument;
  const { fees, fundingIntervalHours, validFrom, validTo } = instrument;
  return {
    token,
    instrument: id,
    venue,
    symbol,
    base,
    quote,
    settlement,
    kind,
    priceRule: toListed(priceRule),
    lot,
    minimumNotional: minNotional,
    multiplier,
    marginTiers: maintenanceTiers(instrument).map((tier) => ({
      notionalFloor: tier.lowerBound,
      maxLeverage: tier.maxLeverage,
      maintenanceRate: num15(toNumber(tier.rate)),
      maintenanceDeduction: tier.deduction,
    })),
    fees: { maker: fees.maker, taker: fees.taker },
    fundingIntervalHours,
    validFrom,
    validTo,
    timestamp,
  };
}

/** The instrument that a listing describes. Rates and deductions follow from bounds and leverages and are computed again. */
export function instrumentFromListing(listing: Listing): Instrument {
  const {
    instrument,
    venue,
    symbol,
    token,
    base,
    quote,
    settlement,
    kind,
    priceRule,
    lot,
    minimumNotional,
    multiplier,
  } = listing;
  const { fees, fundingIntervalHours, validFrom, validTo } = listing;
  const marginTiers = listing.marginTiers.map((tier) => ({
    lowerBound: tier.notionalFloor,
    maxLeverage: tier.maxLeverage,
  }));
  return {
    id: instrument,
    venue,
    symbol,
    token,
    base,
    quote,
    settlement,
    kind,
    priceRule: fromListed(priceRule),
    lot,
    minNotional: minimumNotional,
    multiplier,
    maxLeverage: marginTiers[0]?.maxLeverage ?? 1,
    marginTiers,
    fees: { taker: fees.taker, maker: fees.maker },
    fundingIntervalHours,
    validFrom,
    validTo,
  };
}

function toListed(rule: PriceRule): Listing['priceRule'] {
  if (rule.type === 'tick') return { mode: 'tick', tick: rule.tick };
  return { mode: 'significant', figures: rule.figures, maxDecimals: rule.maxDecimals };
}

function fromListed(rule: Listing['priceRule']): PriceRule {
  if (rule.mode === 'tick') return { type: 'tick', tick: rule.tick };
  return { type: 'significant', figures: rule.figures, maxDecimals: rule.maxDecimals };
}
