import type { Instrument } from '@moon/domain';

/** Fees from a traded volume on, in basis points of the value; the tiers of a table rise by `above`. */
export interface FeeTier {
  /** Quote volume of the window that must be exceeded. */
  above: number;
  makerBps: number;
  takerBps: number;
}

export interface FeeTable {
  /** Days of volume that decide, up to the end of yesterday (UTC). */
  windowDays: number;
  tiers: readonly FeeTier[];
}

const M = 1_000_000;
const B = 1_000 * M;

const tiers = (...rows: readonly [above: number, makerBps: number, takerBps: number][]): FeeTier[] =>
  rows.map(([above, makerBps, takerBps]) => ({ above, makerBps, takerBps }));

/** HyperLiquid docs, trading/fees (2026-08): perpetuals, without staking and referral discounts and maker rebates. */
const HYPERLIQUID: FeeTable = {
  windowDays: 14,
  tiers: tiers(
    [0, 1.5, 4.5],
    [5 * M, 1.2, 4],
    [25 * M, 0.8, 3.5],
    [100 * M, 0.4, 3],
    [500 * M, 0, 2.8],
    [2 * B, 0, 2.6],
    [7 * B, 0, 2.4],
  ),
};

/**
 * Binance fee schedule (2025), USDⓈ-M futures, USDT pairs, VIP 0 to 9. Binance also asks for a holding of BNB and counts
 * 30 days; holdings are not modelled, so this is what an account that has them pays. It changes by campaign: a run that
 * depends on it names its own tiers.
 */
const BINANCE_USDM: FeeTable = {
  windowDays: 30,
  tiers: tiers(
    [0, 2, 5],
    [15 * M, 1.6, 4],
    [50 * M, 1.4, 3.5],
    [100 * M, 1.2, 3.2],
    [600 * M, 1, 3],
    [1 * B, 0.8, 2.7],
    [2.5 * B, 0.6, 2.5],
    [5 * B, 0.4, 2.2],
    [12.5 * B, 0.2, 2],
    [25 * B, 0, 1.7],
  ),
};

/** The same for spot, the regular tiers without BNB discount: VIP 0 to 3, beyond which the schedules differ by year. */
const BINANCE_SPOT: FeeTable = {
  windowDays: 30,
  tiers: tiers([0, 10, 10], [1 * M, 9, 10], [5 * M, 8, 10], [20 * M, 4, 6]),
};

const BY_VENUE: Readonly<Record<string, FeeTable>> = {
  HYPERLIQUID,
  'BINANCE-USDM': BINANCE_USDM,
  'BINANCE-SPOT': BINANCE_SPOT,
};

/** The table of the venue that trades an instrument; undefined: its flat fees hold. */
export function feeTableOf(instrument: Instrument): FeeTable | undefined {
  return Object.hasOwn(BY_VENUE, instrument.venue) ? BY_VENUE[instrument.venue] : undefined;
}

/** Days of volume that any table looks at. */
export const MOST_DAYS = 30;
