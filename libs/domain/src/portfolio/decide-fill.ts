import type { EmitData } from '@moon/events';
import type { Instrument } from '../instruments';
import { abs, add, canonical, cmp, ledger, num15, sign, sub, toNumber, type Decimal } from '../money';
import { refuse, type Decision, type Emission, type Problem } from '../order/decision';
import { bookTrade, type Booking } from './booking';
import { evolvePortfolio } from './evolve';
import type { PortfolioState, PositionState, Side } from './state';

/** A fill as the ledger needs it; the data of `trade.executed` is one. */
export type PortfolioFill = Pick<
  EmitData<'trade.executed'>,
  'order_id' | 'fillId' | 'token' | 'instrument' | 'side' | 'price' | 'quantity' | 'fee' | 'feeAsset' | 'timestamp'
>;

/**
 * Books a fill that the venue made: `portfolio.fill_booked`, and `position.closed` when it brought the position to
 * zero or over it. What really happened is always booked; a cash account that came by a short or a debt, which its
 * limits should have prevented, gets an anomaly with it.
 *
 * The reservation of the order is not touched; see `decideRelease`.
 */
export function decideFill(
  state: PortfolioState,
  fill: PortfolioFill,
  instrument: Instrument,
): Decision<'portfolio.fill_booked' | 'position.closed'> {
  if (fill.instrument !== instrument.id) {
    return refuse(
      'wrong_instrument',
      `A fill in ${fill.instrument} cannot be booked by the rules of ${instrument.id}.`,
    );
  }
  const position = state.positions[fill.instrument];
  const ledgerFee = ledger(fill.fee, state.config.ledgerScale);
  const fee = fill.feeAsset === state.config.settlementAsset ? ledgerFee : '0';
  const { side, quantity, price } = fill;
  const booking = bookTrade(state.config, position, { side, quantity, price, fee }, instrument);
  const events: Emission<'portfolio.fill_booked' | 'position.closed'>[] = [
    { type: 'portfolio.fill_booked', data: bookedData(state, fill, ledgerFee, booking) },
  ];
  if (
    position !== undefined &&
    booking.closedQuantity !== '0' &&
    cmp(booking.closedQuantity, abs(position.quantity)) === 0
  ) {
    events.push({ type: 'position.closed', data: closedData(state, position, fill, booking, instrument) });
  }
  const anomaly = cashBreach(state, fill.instrument, booking);
  return anomaly === undefined ? { events } : { events, anomaly };
}

/**
 * Books what the venue did to a position for want of margin. The money moves by the fill as with any other; its
 * `order_id` is the report's, or one derived from it, since the platform placed no such order.
 */
export function decideLiquidation(
  state: PortfolioState,
  fill: PortfolioFill,
  instrument: Instrument,
): Decision<'portfolio.liquidated' | 'portfolio.fill_booked' | 'position.closed'> {
  const held = state.positions[fill.instrument]?.quantity ?? '0';
  if (sign(held) * (fill.side === 'buy' ? 1 : -1) >= 0 || cmp(fill.quantity, abs(held)) > 0) {
    return refuse(
      'liquidation_exceeds_position',
      `The venue liquidated ${fill.quantity} of ${fill.instrument} by ${fill.side}; ${held} is held.`,
      {
        held,
        liquidated: fill.quantity,
      },
    );
  }
  const booked = decideFill(state, fill, instrument);
  if ('refused' in booked) return booked;
  const { portfolio } = state;
  const { token, timestamp } = fill;
  const data = {
    portfolio,
    token,
    instrument: fill.instrument,
    quantity: canonical(fill.quantity),
    price: canonical(fill.price),
    timestamp,
  };
  return { ...booked, events: [{ type: 'portfolio.liquidated', data }, ...booked.events] };
}

/** The books as they would be if an order filled at `price`, without a fee: for limits that look ahead (rule 19). */
export function projectFill(
  state: PortfolioState,
  order: { side: Side; quantity: Decimal; price: Decimal; timestamp: number },
  instrument: Instrument,
): PortfolioState {
  const { side, quantity, price, timestamp } = order;
  const fill: PortfolioFill = {
    order_id: '',
    fillId: '',
    token: instrument.token,
    instrument: instrument.id,
    side,
    price,
    quantity,
    fee: '0',
    feeAsset: state.config.settlementAsset,
    timestamp,
  };
  const booking = bookTrade(state.config, state.positions[instrument.id], fill, instrument);
  return evolvePortfolio(state, { type: 'portfolio.fill_booked', data: bookedData(state, fill, '0', booking) });
}

function bookedData(
  state: PortfolioState,
  fill: PortfolioFill,
  fee: Decimal,
  booking: Booking,
): EmitData<'portfolio.fill_booked'> {
  return {
    portfolio: state.portfolio,
    order_id: fill.order_id,
    fillId: fill.fillId,
    token: fill.token,
    instrument: fill.instrument,
    side: fill.side,
    price: canonical(fill.price),
    quantity: canonical(fill.quantity),
    fee,
    feeAsset: fill.feeAsset,
    realisedPnl: booking.realisedPnl,
    cashDelta: booking.cashDelta,
    costBasisDelta: booking.costBasisDelta,
    timestamp: fill.timestamp,
  };
}

function closedData(
  state: PortfolioState,
  position: PositionState,
  fill: PortfolioFill,
  booking: Booking,
  instrument: Instrument,
): EmitData<'position.closed'> {
  const realisedPnl = add(position.realisedPnl, booking.realisedPnl);
  const exitPrice = toNumber(fill.price);
  const pnl = toNumber(realisedPnl);
  return {
    token: fill.token,
    exit_price: num15(exitPrice),
    // The profit of an inverse contract is in coins: shown at the exit price.
    pnl_usd: num15(instrument.kind === 'inverse' ? pnl * exitPrice : pnl),
    duration_seconds: num15(Math.max(0, fill.timestamp - position.openedAt) / 1000),
    portfolio: state.portfolio,
    instrument: fill.instrument,
    side: sign(position.quantity) > 0 ? 'long' : 'short',
    quantity: add(position.closedQuantity, booking.closedQuantity),
    realisedPnl,
    fees: add(position.fees, booking.closingFee),
    funding: position.funding,
    openedAt: position.openedAt,
    timestamp: fill.timestamp,
  };
}

function cashBreach(state: PortfolioState, instrument: string, booking: Booking): Problem | undefined {
  if (state.config.accountModel !== 'cash') return undefined;
  if (sign(booking.quantity) < 0) {
    return {
      code: 'short_in_cash_account',
      message: `Portfolio ${state.portfolio} is a cash account and now short ${booking.quantity} of ${instrument}.`,
      details: { quantity: booking.quantity },
    };
  }
  const cash = add(state.cash, booking.cashDelta);
  if (sign(cash) >= 0) return undefined;
  return {
    code: 'debt_in_cash_account',
    message: `Portfolio ${state.portfolio} is a cash account and now owes ${sub('0', cash)} ${state.config.settlementAsset}.`,
    details: { cash },
  };
}
