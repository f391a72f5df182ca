import { toNumber, type Decimal, type Instrument } from '@moon/domain';
import type { VenueContext } from './context';
import { MOST_DAYS } from './models/fee-tables';
import type { AccountState } from './state';

const DAY_MS = 86_400_000;

/** The rate that a fill of an account pays now. */
export function feeRate(
  context: VenueContext,
  account: AccountState,
  instrument: Instrument,
  liquidity: 'maker' | 'taker',
): Decimal {
  const { fee } = context.models;
  const days = context.config.fees.tiers === 'none' ? 0 : fee.windowDays(instrument);
  return fee.rate(instrument, liquidity, days === 0 ? 0 : volumeOf(account, dayOf(context), days));
}

/** Counts what an account traded, in quote; only where fees depend on it. HyperLiquid counts spot twice (docs, trading/fees). */
export function noteVolume(
  context: VenueContext,
  account: AccountState,
  instrument: Instrument,
  fill: { quantity: Decimal; price: Decimal },
): void {
  if (context.config.fees.tiers === 'none') return;
  const units = toNumber(fill.quantity) * toNumber(instrument.multiplier);
  const quote = instrument.kind === 'inverse' ? units : units * toNumber(fill.price);
  const weighted = instrument.venue === 'HYPERLIQUID' && instrument.kind === 'spot' ? 2 * quote : quote;
  const today = dayOf(context);
  const newest = account.volumes[account.volumes.length - 1];
  if (newest?.[0] === today) newest[1] += weighted;
  else account.volumes.push([today, weighted]);
  while ((account.volumes[0]?.[0] ?? today) < today - MOST_DAYS) account.volumes.shift();
}

/** Volume of the `days` whole days before today. */
function volumeOf(account: AccountState, today: number, days: number): number {
  let sum = 0;
  for (const [day, quote] of account.volumes) if (day < today && day >= today - days) sum += quote;
  return sum;
}

const dayOf = (context: VenueContext): number => Math.floor(context.state.time / DAY_MS);
