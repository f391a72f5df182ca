import { findInstrument, type Instrument } from '../instruments';
import { abs, add, cmp, fromNumber, num15, sub, toNumber, type Decimal } from '../money';
import {
  glance,
  projectFill,
  reservedNotional,
  reservedQuantity,
  signedQuantity,
  type PortfolioState,
} from '../portfolio';
import type { OrderIntent, ResultingFacts } from './facts';

type Side = OrderIntent['side'];

/** An order as the look ahead needs it. */
export interface PlannedOrder {
  order: Pick<OrderIntent, 'side' | 'quantity' | 'token'>;
  instrument: Instrument;
  /** Expected price of the fill. */
  price: number;
  /** Notional in settlement asset at that price. */
  value: number;
  /** What the order may cost, fee and slippage included. */
  reserve: Decimal;
}

/**
 * The portfolio as it would be with this order filled on top of what is in flight. Of the orders in flight those count
 * that make it worse: in the order's instrument the ones of its side, elsewhere the side that leaves the larger
 * position. Float64 in settlement asset.
 */
export function lookAhead(
  portfolio: PortfolioState,
  marks: Readonly<Record<string, number>>,
  now: number,
  planned: PlannedOrder,
): ResultingFacts {
  const { order, instrument, price } = planned;
  const before = withInFlight(portfolio, marks, now, planned);
  const fill = { side: order.side, quantity: order.quantity, price: fromNumber(num15(price)), timestamp: now };
  const value = glance(projectFill(before, fill, instrument), marks, now, null, true);
  let tokenNotional = 0;
  let distance: number | null = null;
  for (const position of value.positions) {
    if (position.token === order.token) tokenNotional += position.exposure;
    if (position.instrument === instrument.id) distance = position.distance;
  }
  const { grossExposure, leverage, availableMargin } = value;
  if (portfolio.config.accountModel !== 'margin') {
    const { available, required } = cashLeft(portfolio, planned);
    return { tokenNotional, grossExposure, leverage, distance, available, required };
  }
  const available = availableMargin - planned.value * Math.max(0, instrument.fees.taker);
  // What the order takes is asked only when it is not there.
  const required = available < 0 ? glance(before, marks, now, null, false).availableMargin - available : 0;
  return { tokenNotional, grossExposure, leverage, distance, available, required };
}

/** Cash that a purchase would leave, other orders in flight counted; a sale takes none. */
function cashLeft(
  portfolio: PortfolioState,
  { order, reserve }: PlannedOrder,
): Pick<ResultingFacts, 'available' | 'required'> {
  if (order.side === 'sell') return { available: 0, required: 0 };
  const free = sub(portfolio.cash, reservedNotional(portfolio));
  return { available: toNumber(sub(free, reserve)), required: toNumber(reserve) };
}

/** The portfolio with the orders in flight filled that make the order's outcome worse. */
function withInFlight(
  portfolio: PortfolioState,
  marks: Readonly<Record<string, number>>,
  now: number,
  planned: PlannedOrder,
): PortfolioState {
  let state = portfolio;
  const reservations = Object.values(portfolio.reservations);
  if (reservations.length === 0) return state;
  const instruments = [...new Set(reservations.map(({ instrument }) => instrument))].sort();
  for (const id of instruments) {
    const instrument = id === planned.instrument.id ? planned.instrument : findInstrument(id);
    const mark = marks[id] ?? (id === planned.instrument.id ? planned.price : undefined);
    if (instrument === undefined || mark === undefined) continue;
    const side = id === planned.instrument.id ? planned.order.side : worseSide(portfolio, id);
    const quantity = reservedQuantity(portfolio, id, side);
    if (cmp(quantity, '0') <= 0) continue;
    state = projectFill(state, { side, quantity, price: fromNumber(num15(mark)), timestamp: now }, instrument);
  }
  return state;
}

function worseSide(portfolio: PortfolioState, instrument: string): Side {
  const held = signedQuantity(portfolio, instrument);
  const bought = abs(add(held, reservedQuantity(portfolio, instrument, 'buy')));
  const sold = abs(sub(held, reservedQuantity(portfolio, instrument, 'sell')));
  return cmp(bought, sold) >= 0 ? 'buy' : 'sell';
}
