import { findInstrument, type Instrument } from '../instruments';
import { cmp, fromNumber, num15, sign, sub, toNumber, type Decimal } from '../money';
import {
  averagePrice,
  drawdownFrom,
  reducibleQuantity,
  reservedQuantity,
  signedQuantity,
  trackEquity,
  type PortfolioState,
  type ValuationTracker,
} from '../portfolio';
import type { LimitFacts, OrderIntent, PortfolioFacts, PriceFacts } from './facts';
import type { Breach } from './limit';
import { LIMITS } from './limits';
import type { LimitsConfig } from './limits-config';
import { lookAhead } from './look-ahead';
import type { PriceBook } from './prices';

/** What the owner of a portfolio knows when it is asked for an order. */
export interface LimitsContext {
  /** Event time, ms. */
  now: number;
  portfolio: PortfolioState | null;
  bounds: LimitsConfig;
  prices: PriceBook;
  tracker: ValuationTracker;
  /** Added to what a purchase is expected to cost, as a share of it. */
  slippageReserve: number;
  ordersInLastSecond: number;
  duplicateOf: string | null;
}

/** The outcome of all limits for one order. */
export interface Verdict {
  isApproved: boolean;
  /** Every breached limit. On an approved order, which only reduces, they are for the record. */
  breaches: Breach[];
  limitsChecked: number;
  /** The order only takes away from the position. */
  isReducing: boolean;
  /** Price that the order is reckoned with; null when none is known. */
  reference: number | null;
  /** What the order may cost, fee and slippage included, settlement asset; '0' when no price is known. */
  reserve: Decimal;
}

/**
 * Judges an order by every limit. An order that only reduces is refused by the few limits that say so (`reducing`);
 * any other by each breach.
 */
export function checkOrder(order: OrderIntent, context: LimitsContext): Verdict {
  const { facts, reserve, reference } = gatherFacts(order, context);
  const breaches = evaluateLimits(facts);
  const isReducing = facts.portfolio?.isReducing ?? false;
  const refusing = isReducing ? breaches.filter(({ code }) => REFUSING_REDUCERS.has(code)) : breaches;
  return {
    isApproved: refusing.length === 0,
    breaches,
    limitsChecked: LIMITS.length,
    isReducing,
    reference,
    reserve,
  };
}

const REFUSING_REDUCERS = new Set(LIMITS.filter(({ reducing }) => reducing === 'refuses').map(({ code }) => code));

/** Every breach of the facts, in the order of {@link LIMITS}. */
export function evaluateLimits(facts: LimitFacts): Breach[] {
  const breaches: Breach[] = [];
  for (const limit of LIMITS) {
    const finding = limit.judge(facts);
    if (finding === null) continue;
    const { value, bound } = finding;
    const message = limit.message.replace('{value}', () => String(value)).replace('{bound}', () => String(bound));
    breaches.push({ code: limit.code, message, value, bound });
  }
  return breaches;
}

interface Gathered {
  facts: LimitFacts;
  reserve: Decimal;
  reference: number | null;
}

function gatherFacts(order: OrderIntent, context: LimitsContext): Gathered {
  const { portfolio, bounds, ordersInLastSecond, duplicateOf } = context;
  const instrument = tradedInstrument(portfolio, order.instrument);
  const facts: LimitFacts = {
    order,
    bounds,
    instrument,
    portfolio: null,
    price: null,
    resulting: null,
    ordersInLastSecond,
    duplicateOf,
  };
  if (portfolio === null) return { facts, reserve: '0', reference: null };
  facts.portfolio = portfolioFacts(portfolio, order, context);
  const price = instrument && priceFacts(order, instrument, context);
  if (instrument === null || price === null) {
    const reference = instrument && entryPrice(portfolio, instrument);
    return { facts, reserve: '0', reference };
  }
  facts.price = price;
  const cost = price.orderValue * (1 + Math.max(0, instrument.fees.taker) + context.slippageReserve);
  const reserve = fromNumber(num15(cost));
  const planned = { order, instrument, price: price.reference, value: price.orderValue, reserve };
  if (sign(order.quantity) > 0) facts.resulting = lookAhead(portfolio, context.prices.marks, context.now, planned);
  return { facts, reserve, reference: price.reference };
}

/** The order's instrument if the portfolio trades it, or still holds it. */
function tradedInstrument(portfolio: PortfolioState | null, id: string): Instrument | null {
  if (portfolio === null) return null;
  const isTraded = portfolio.config.instruments[id] !== undefined || portfolio.positions[id] !== undefined;
  return isTraded ? (findInstrument(id) ?? null) : null;
}

const NO_HALTS: string[] = [];
const haltName = ({ source, reason }: PortfolioState['halts'][number]) => `${source}: ${reason}`;

function portfolioFacts(portfolio: PortfolioState, order: OrderIntent, context: LimitsContext): PortfolioFacts {
  const { prices, now, tracker } = context;
  const equity = trackEquity(portfolio, prices.marks, now, tracker);
  const reducible = reducibleQuantity(portfolio, order.instrument, order.side);
  const held = signedQuantity(portfolio, order.instrument);
  return {
    accountModel: portfolio.config.accountModel,
    isReconciled: portfolio.reconciledAt !== null,
    halts: portfolio.halts.length === 0 ? NO_HALTS : portfolio.halts.map(haltName).sort(),
    equity,
    drawdown: drawdownFrom(tracker.peak, equity),
    dayDrawdown: drawdownFrom(tracker.dayPeak, equity),
    reducible,
    isReducing: sign(reducible) > 0 && cmp(order.quantity, reducible) <= 0,
    sellable: sub(held, reservedQuantity(portfolio, order.instrument, 'sell')),
  };
}

function priceFacts(order: OrderIntent, instrument: Instrument, context: LimitsContext): PriceFacts | null {
  const quote = context.prices.quotes[order.instrument];
  const mark = context.prices.marks[order.instrument];
  if (quote === undefined || mark === undefined) return null;
  const isWaiting = order.orderType === 'STOP' || order.orderType === 'TAKE_PROFIT';
  const asked = isWaiting ? order.stopPrice : order.limitPrice;
  const reference = asked === undefined ? (quote.last ?? mark) : toNumber(asked);
  if (!(reference > 0)) return null;
  const units = Math.abs(toNumber(order.quantity)) * toNumber(instrument.multiplier);
  const isInverse = instrument.kind === 'inverse';
  return {
    mark,
    ageMs: Math.max(0, context.now - quote.at),
    reference,
    orderValue: isInverse ? units / reference : units * reference,
    quoteValue: isInverse ? units : units * reference,
  };
}

/** Without any price a position can still be closed: it is reckoned at its entry. */
function entryPrice(portfolio: PortfolioState, instrument: Instrument): number | null {
  const position = portfolio.positions[instrument.id];
  return position === undefined ? null : num15(toNumber(averagePrice(position, instrument)));
}
