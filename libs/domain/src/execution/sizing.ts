import type { EmitData, Sizing } from '@moon/events';
import { roundQuantityDown, type Instrument } from '../instruments';
import { abs, div, fromNumber, mul, neg, num15, sign, sub, toNumber, type Decimal } from '../money';
import { reservedQuantity, signedQuantity, trackEquity, type PortfolioState } from '../portfolio';
import { LIMITS, type Breach, type OrderIntent, type Verdict } from '../risk';
import type { Owner } from './owner';
import { judge } from './place-order';

type SizingRecord = EmitData<'order.requested'>['sizing'];

/** What is to be done, by whoever asked for it. */
export interface Wish {
  action: 'BUY' | 'SELL';
  /** 0–1. */
  confidence: number;
  /** Wanted multiple of the usual size. */
  sizeFactor: number;
  /** The signed position wanted, when the one who asks names it; only for portfolios sized by target. */
  target?: Decimal;
}

/** The size of an order and how it came about, or why there is none. */
export type Size =
  { side: OrderIntent['side']; quantity: Decimal; record: SizingRecord } | { reason: string; message: string };

/**
 * What a wish comes to in this portfolio (EXE-3).
 *
 * fraction: value = equity × fraction × confidence (if scaled by it) × size factor (bounded), at the mark.
 * target: order = target − position − in flight; a SELL aims at the negative target, in a cash account at nothing.
 * Either is rounded to the lot, never up.
 */
export function sizeOf(owner: Owner, portfolio: PortfolioState, instrument: Instrument, wish: Wish): Size {
  const { sizing } = portfolio.config;
  const size =
    sizing.mode === 'fraction'
      ? byFraction(owner, portfolio, instrument, wish, sizing)
      : byTarget(portfolio, instrument, wish, sizing);
  if ('reason' in size) return size;
  const quantity = roundQuantityDown(instrument, size.quantity);
  if (sign(quantity) > 0) return { side: size.side, quantity, record: size.record };
  const message = `${size.quantity} of ${instrument.id} is less than one lot of ${instrument.lot}.`;
  return { reason: 'BELOW_LOT', message };
}

function byFraction(
  owner: Owner,
  portfolio: PortfolioState,
  instrument: Instrument,
  wish: Wish,
  sizing: Extract<Sizing, { mode: 'fraction' }>,
): Size {
  const { marks } = owner.state.prices;
  const price = marks[instrument.id];
  if (price === undefined) {
    return { reason: 'PRICE_MISSING', message: `No price of ${instrument.id} is known, so no size follows.` };
  }
  const equity = trackEquity(portfolio, marks, owner.out.now, owner.state.tracker);
  if (equity <= 0)
    return { reason: 'NO_EQUITY', message: `The portfolio is worth ${num15(equity)}; nothing to trade with.` };
  const confidence = sizing.scaleByConfidence ? wish.confidence : 1;
  const sizeFactor = Math.min(wish.sizeFactor, owner.config.maxSizeFactor);
  const value = equity * sizing.fraction * confidence * sizeFactor;
  const multiplier = toNumber(instrument.multiplier);
  const units = instrument.kind === 'inverse' ? (value * price) / multiplier : value / (price * multiplier);
  return {
    side: wish.action === 'BUY' ? 'buy' : 'sell',
    quantity: fromNumber(num15(units)),
    record: {
      mode: 'fraction',
      fraction: sizing.fraction,
      equity: num15(equity),
      confidence: num15(confidence),
      sizeFactor: num15(sizeFactor),
      price,
      value: num15(value),
    },
  };
}

function byTarget(
  portfolio: PortfolioState,
  instrument: Instrument,
  wish: Wish,
  sizing: Extract<Sizing, { mode: 'target' }>,
): Size {
  const held = signedQuantity(portfolio, instrument.id);
  const inFlight = sub(
    reservedQuantity(portfolio, instrument.id, 'buy'),
    reservedQuantity(portfolio, instrument.id, 'sell'),
  );
  const target = wish.target ?? configuredTarget(portfolio, wish, sizing.quantity);
  const missing = sub(sub(target, held), inFlight);
  if (sign(missing) === 0) {
    return { reason: 'ON_TARGET', message: `The position of ${held} with ${inFlight} in flight is what is wanted.` };
  }
  return {
    side: sign(missing) > 0 ? 'buy' : 'sell',
    quantity: abs(missing),
    record: { mode: 'target', target, position: held, inFlight },
  };
}

function configuredTarget(portfolio: PortfolioState, wish: Wish, quantity: Decimal): Decimal {
  if (wish.action === 'BUY') return quantity;
  return portfolio.config.accountModel === 'cash' ? '0' : neg(quantity);
}

const YIELDING = new Set(LIMITS.filter(({ yieldsToSize }) => yieldsToSize).map(({ code }) => code));

/** The order at the size that the limits leave room for, the codes of those that took from it, and their verdict. */
export interface Shrunk<T extends OrderIntent> {
  order: T;
  limitedBy: string[];
  verdict: Verdict;
}

/**
 * The largest whole number of lots of an order that every limit lets pass. An order that no size would save stays as it
 * is, so that the limits refuse it with what they found; so does one for which no room is left.
 */
export function shrinkToLimits<T extends OrderIntent>(owner: Owner, order: T, lot: Decimal): Shrunk<T> {
  const asked = judge(owner, order);
  const stays = { order, limitedBy: [], verdict: asked };
  if (asked.isApproved || asked.breaches.some(({ code }) => !YIELDING.has(code))) return stays;
  const yields = (breaches: Breach[]) => !breaches.some(({ code }) => YIELDING.has(code));
  let passes = 0;
  let fails = toNumber(div(order.quantity, lot, 0, 'down'));
  while (fails - passes > 1) {
    const lots = Math.floor((passes + fails) / 2);
    const verdict = judge(owner, { ...order, quantity: mul(String(lots), lot) });
    if (verdict.isApproved || yields(verdict.breaches)) passes = lots;
    else fails = lots;
  }
  if (passes === 0) return stays;
  const smaller = { ...order, quantity: mul(String(passes), lot) };
  const verdict = judge(owner, smaller);
  return verdict.isApproved ? { order: smaller, limitedBy: asked.breaches.map(({ code }) => code), verdict } : stays;
}
