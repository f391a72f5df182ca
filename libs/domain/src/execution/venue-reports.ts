import { derivedId, type EventEnvelope } from '@moon/events';
import { findInstrument, type Instrument } from '../instruments';
import { neg } from '../money';
import { applyVenueReport, isRefused, isTerminal, TRANSITIONS, type Emission, type OrderState } from '../order';
import { decideFill, decideFunding, decideLiquidation, type PortfolioState } from '../portfolio';
import { commit, commitOrHalt, fold, haltForIntegrity, releaseReservation, revalue, type Owner } from './owner';
import { isDecided } from './state';

type Report = EventEnvelope<'venue.report'>['data'];

/**
 * Books what the venue says. Its reports are numbered without gaps: one that was handled is skipped, a missing one
 * halts the portfolio. What contradicts the books halts as well; a fill is never invented and never dropped in silence.
 */
export function onVenueReport(owner: Owner, event: EventEnvelope<'venue.report'>): void {
  const { state } = owner;
  const report = event.data;
  if (report.venueSeq <= state.venueSeq) return;
  if (state.portfolio === null) {
    const message = `The venue reports ${report.kind} of portfolio ${report.portfolio}, which is not open here.`;
    return haltForIntegrity(owner, 'UNKNOWN_PORTFOLIO', message);
  }
  if (report.venueSeq !== state.venueSeq + 1) {
    const message = `Reports ${state.venueSeq + 1} to ${report.venueSeq - 1} of the venue are missing.`;
    haltForIntegrity(owner, 'VENUE_REPORTS_MISSING', message);
  }
  state.venueSeq = report.venueSeq;
  if (report.kind === 'funding') onFunding(owner, state.portfolio, report);
  else if (report.kind === 'liquidation') onLiquidation(owner, state.portfolio, event);
  else if (report.kind !== 'margin_call') onOrderReport(owner, report);
  revalue(owner);
}

/** The sender stored the bytes that it is about to send, or had no answer. Ignored once the order is over. */
export function onSenderNews(
  owner: Owner,
  event: EventEnvelope<'order.submitted'> | EventEnvelope<'order.outcome_unknown'>,
): void {
  const order = owner.state.orders[event.data.order_id];
  if (order === undefined) {
    if (isDecided(owner.state, event.data.order_id)) return;
    return haltForIntegrity(
      owner,
      'UNKNOWN_ORDER',
      `${event.type} is about order ${event.data.order_id}, which is not known.`,
    );
  }
  // Cancelled in the meantime, or an answer overtook the silence: the order's own state says more.
  if (isTerminal(order.status) || TRANSITIONS[order.status][event.type] === undefined) return;
  if (event.type === 'order.submitted' && event.data.attempt !== order.attempt + 1) {
    const message = `Attempt ${event.data.attempt} of order ${order.orderId} follows attempt ${order.attempt}.`;
    return haltForIntegrity(owner, 'ATTEMPT_MISNUMBERED', message);
  }
  fold(owner.state, event);
}

/** The sender certainly never sent the order: it ends here, and its reservation with it. */
export function onWithheld(owner: Owner, event: EventEnvelope<'order.withheld'>): void {
  const order = owner.state.orders[event.data.order_id];
  if (order === undefined || isTerminal(order.status)) return;
  if (order.status === 'accepted' || order.status === 'partially_filled') {
    const message = `Order ${order.orderId} was never sent, says its sender; the venue has it as ${order.status}.`;
    return haltForIntegrity(owner, 'WITHHELD_BUT_PLACED', message);
  }
  const { orderId, portfolio, token, instrument } = order;
  const { reason, detail: message } = event.data;
  const about = { order_id: orderId, portfolio, token, instrument } as const;
  book(owner, order, [
    { type: 'trade.rejected', data: { ...about, reason, message, stage: 'venue', timestamp: owner.out.now } },
  ]);
}

function onOrderReport(owner: Owner, report: Report): void {
  const order = report.order_id === undefined ? undefined : owner.state.orders[report.order_id];
  if (order === undefined) {
    if (report.kind === 'cancel_rejected') return;
    const which = report.order_id ?? 'without an id';
    return haltForIntegrity(
      owner,
      'UNKNOWN_ORDER',
      `The venue reports ${report.kind} of order ${which}, which is not known.`,
    );
  }
  const decision = applyVenueReport(order, report);
  if (isRefused(decision)) return haltForIntegrity(owner, decision.refused.code, decision.refused.message);
  book(owner, order, decision.events);
  if (decision.anomaly) haltForIntegrity(owner, decision.anomaly.code, decision.anomaly.message);
}

/** Commits an order's events with what follows from them in the portfolio: fills booked, reservations released. */
function book(owner: Owner, { orderId, instrument }: OrderState, events: readonly Emission[]): void {
  for (const event of events) {
    commit(owner, [event]);
    if (event.type !== 'trade.executed' || owner.state.portfolio === null) continue;
    const rules = instrumentOf(owner, instrument);
    if (rules === undefined) continue;
    commitOrHalt(owner, decideFill(owner.state.portfolio, event.data, rules));
    releaseReservation(owner, { orderId, reason: 'filled', quantity: event.data.quantity });
  }
  const reason = endOf(events);
  if (reason !== null) releaseReservation(owner, { orderId, reason });
}

/** How these events ended the order; null when it goes on. */
function endOf(events: readonly Emission[]): 'filled' | 'rejected' | 'cancelled' | 'expired' | null {
  for (const event of events) {
    if (event.type === 'trade.rejected') return 'rejected';
    if (event.type === 'trade.cancelled') return 'cancelled';
    if (event.type === 'trade.expired') return 'expired';
    if (event.type === 'trade.executed' && event.data.status === 'FILLED') return 'filled';
  }
  return null;
}

function onFunding(owner: Owner, portfolio: PortfolioState, report: Report): void {
  const { instrument, settlesAt, rate, price, quantity, side, amount } = report;
  const rules = instrumentOf(owner, instrument);
  if (rules === undefined) return;
  if (settlesAt === undefined || rate === undefined || price === undefined || amount === undefined) {
    return incomplete(owner, report, 'settlesAt, rate, price and amount');
  }
  const settlement = {
    token: rules.token,
    instrument: rules.id,
    settlesAt,
    rate,
    oraclePrice: price,
    amount,
    timestamp: report.timestamp,
    // The venue names the side of the position beside its unsigned size.
    ...(quantity !== undefined && { positionQuantity: side === 'sell' ? neg(quantity) : quantity }),
  };
  commitOrHalt(owner, decideFunding(portfolio, settlement, rules));
}

function onLiquidation(owner: Owner, portfolio: PortfolioState, event: EventEnvelope<'venue.report'>): void {
  const report = event.data;
  const { instrument, side, price, quantity, fillId } = report;
  const rules = instrumentOf(owner, instrument);
  if (rules === undefined) return;
  if (side === undefined || price === undefined || quantity === undefined || fillId === undefined) {
    return incomplete(owner, report, 'side, price, quantity and fillId');
  }
  const fill = {
    order_id: report.order_id ?? derivedId(event.id, 'liquidation', 0),
    fillId,
    token: rules.token,
    instrument: rules.id,
    side,
    price,
    quantity,
    fee: report.fee ?? '0',
    feeAsset: report.feeAsset ?? portfolio.config.settlementAsset,
    timestamp: report.timestamp,
  };
  commitOrHalt(owner, decideLiquidation(portfolio, fill, rules));
}

function instrumentOf(owner: Owner, id: string | undefined): Instrument | undefined {
  const instrument = id === undefined ? undefined : findInstrument(id);
  if (instrument === undefined) {
    haltForIntegrity(
      owner,
      'UNKNOWN_INSTRUMENT',
      `The venue reports on instrument ${id ?? 'without an id'}, which is not known.`,
    );
  }
  return instrument;
}

function incomplete(owner: Owner, report: Report, needs: string): void {
  haltForIntegrity(owner, 'REPORT_INCOMPLETE', `Report ${report.reportId} (${report.kind}) needs ${needs}.`);
}
