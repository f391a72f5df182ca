import { toNumber } from '@moon/domain';
import type { Desk, VenueContext } from './context';
import type { AccountState, OrderState, PositionState } from './state';

/**
 * Margin in float64: it decides whether something happens, never what is booked. Cash models are held to their own
 * rule (no debt, no short) in `admission.ts`.
 */

/** A price that stands for the mark of one desk, e.g. the worst price of a bar. */
export interface MarkOverride {
  desk: Desk;
  forLong: number;
  forShort: number;
}

export interface Exposure {
  position: PositionState;
  desk: Desk;
  /** Signed. */
  quantity: number;
  mark: number;
  /** Signed value at the mark. */
  value: number;
  /** |value|. */
  notional: number;
  unrealised: number;
  maintenance: number;
  margin: number;
}

/** The mark that margin, liquidation and stop orders go by; without one the last price, then a quote (rule 11). 0 = none. */
export function markOf(desk: Desk): number {
  const { mark, last, bid, ask } = desk.market;
  if (mark > 0) return mark;
  if (last > 0) return last;
  return bid > 0 && ask > 0 ? (bid + ask) / 2 : bid + ask;
}

/** Signed value of a signed quantity: q·m·p; inverse: −q·m÷p. */
export function valueOf(desk: Desk, quantity: number, price: number): number {
  const units = quantity * desk.multiplier;
  return desk.instrument.kind === 'inverse' ? -units / price : units * price;
}

/** notional × rate − deduction of the tier the notional falls in (HyperLiquid docs, trading/margin-tiers). */
export function maintenanceOf(desk: Desk, notional: number): number {
  for (const tier of desk.tiers) {
    if (notional > tier.bound || tier.bound === 0) return notional * tier.rate - tier.deduction;
  }
  return 0;
}

/** Highest leverage at a position of this notional. */
export function maxLeverageAt(desk: Desk, notional: number): number {
  for (const tier of desk.tiers) if (notional > tier.bound || tier.bound === 0) return tier.maxLeverage;
  return 1;
}

/** The open positions of an account at their marks, in order of instrument; without a price a position is valued at cost. */
export function exposuresOf(
  context: VenueContext,
  account: AccountState,
  override: MarkOverride | null = null,
): Exposure[] {
  const found: Exposure[] = [];
  for (const position of Object.values(account.positions)) {
    if (position.quantity === '0') continue;
    const desk = context.desks.get(position.instrument);
    if (desk) found.push(exposureOf(desk, position, override));
  }
  if (found.length > 1) found.sort((a, b) => (a.position.instrument < b.position.instrument ? -1 : 1));
  return found;
}

function exposureOf(desk: Desk, position: PositionState, override: MarkOverride | null): Exposure {
  const quantity = toNumber(position.quantity);
  const cost = toNumber(position.costBasis);
  let mark = markOf(desk);
  if (override?.desk === desk) mark = quantity > 0 ? override.forLong : override.forShort;
  const value = mark > 0 ? valueOf(desk, quantity, mark) : cost;
  const notional = Math.abs(value);
  return {
    position,
    desk,
    quantity,
    mark,
    value,
    notional,
    unrealised: value - cost,
    maintenance: maintenanceOf(desk, notional),
    margin: toNumber(position.margin),
  };
}

/** How much of an order would open or add, given the position that is there. */
export function openingQuantity(account: AccountState, order: OrderState): number {
  if (order.reduceOnly) return 0;
  const held = toNumber(account.positions[order.instrument]?.quantity ?? '0');
  const open = toNumber(order.quantity) - toNumber(order.filled);
  const opposite = order.side === 'buy' ? Math.max(0, -held) : Math.max(0, held);
  return Math.max(0, open - opposite);
}

/** Initial margin that the account's other resting orders hold back: what they would open ÷ leverage. */
export function heldBack(context: VenueContext, account: AccountState, except: OrderState | null): number {
  let sum = 0;
  for (const desk of context.deskList) {
    for (const order of desk.resting) {
      if (order.portfolio !== account.portfolio || order === except) continue;
      const price = order.limit || order.stop || markOf(desk);
      if (price <= 0) continue;
      const leverage = account.leverage[order.instrument] ?? 1;
      sum += Math.abs(valueOf(desk, openingQuantity(account, order), price)) / leverage;
    }
  }
  return sum;
}
