export type { Instrument, MarginTier, PriceRule } from './instrument';
export { findInstrument, INSTRUMENTS, instrumentForFeed } from './registry';
export { initialMarginRate, maintenance, maintenanceTiers, type Maintenance, type MaintenanceTier } from './margin';
export { isOnLot, isOnTick, roundPrice, roundQuantityDown } from './rounding';
export { instrumentFromListing, instrumentListing } from './listing';
export { tokenOf } from './tokens';
