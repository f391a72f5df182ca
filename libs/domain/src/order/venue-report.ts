import type { EmitData } from '@moon/events';
import { add, canonical, cmp, num15, sign, toNumber } from '../money';
import { refuse, type Decision, type Emission, type Problem } from './decision';
import type { OrderState } from './state';
import { isTerminal } from './transitions';

type Report = EmitData<'venue.report'>;
type VenueFact = 'trade.placed' | 'trade.executed' | 'trade.rejected' | 'trade.cancelled' | 'trade.expired';
type VenueDecision = Decision<VenueFact>;

const NOTHING: VenueDecision = { events: [] };

/**
 * What a venue's report means for an order. Reports come late, twice and out of order: a duplicate gives no events, a
 * fill that was really made is booked whatever the status, one beyond the quantity is refused with the code
 * `overfill`. A refusal, like an anomaly, is the owner's cause to halt the portfolio; it is never to be dropped.
 */
export function applyVenueReport(state: OrderState, report: Report): VenueDecision {
  if (report.order_id !== state.orderId || report.portfolio !== state.portfolio) {
    return refuse('wrong_order', `Report ${report.reportId} is not about order ${state.orderId}.`, {
      reported: report.order_id ?? null,
    });
  }
  if (state.status === 'requested') {
    return refuse(
      'report_of_unsent_order',
      `The venue reports ${report.kind} of order ${state.orderId}, which no limit has passed yet.`,
    );
  }
  switch (report.kind) {
    case 'accepted':
      return accepted(state, report);
    case 'filled':
      return filled(state, report);
    case 'rejected':
      return rejected(state, report);
    case 'cancelled':
      return isTerminal(state.status) ? NOTHING : { events: [cancelled(state, report, 'cancelled by the venue')] };
    case 'expired':
      return isTerminal(state.status) ? NOTHING : { events: [expired(state, report)] };
    case 'cancel_rejected':
      return NOTHING;
    default:
      return refuse('not_an_order_report', `A ${report.kind} report is about an account, not about an order.`);
  }
}

function accepted(state: OrderState, report: Report): VenueDecision {
  if (report.venueOrderId === undefined) {
    return refuse('report_incomplete', `Acceptance ${report.reportId} carries no venueOrderId.`);
  }
  const second = secondVenueOrder(state, report);
  if (second !== undefined) return { refused: second };
  if (state.venueOrderId !== undefined) return NOTHING;
  const events = [placed(state, report.venueOrderId, report.timestamp)];
  if (state.status !== 'approved') return { events };
  const message = `The venue accepted order ${state.orderId} before its submission was stored.`;
  return { events, anomaly: { code: 'accepted_before_submission', message } };
}

function filled(state: OrderState, report: Report): VenueDecision {
  const fill = fillOf(report);
  if (fill === undefined) {
    const needs = 'fillId, price, a quantity above zero, fee, feeAsset and liquidity';
    return refuse('fill_incomplete', `Fill report ${report.reportId} needs ${needs}.`);
  }
  const mismatch = termsDiffer(state, report);
  if (mismatch !== undefined) return mismatch;
  const { fillId, price, quantity, fee, feeAsset, liquidity } = fill;
  if (state.fillIds.includes(fillId)) return NOTHING;
  const cumulative = add(state.filled, quantity);
  const toQuantity = cmp(cumulative, state.quantity);
  if (toQuantity > 0) {
    return refuse(
      'overfill',
      `Fill ${fillId} of ${quantity} would bring order ${state.orderId} to ${cumulative} of ${state.quantity}.`,
      {
        filled: state.filled,
        quantity: state.quantity,
        fill: quantity,
      },
    );
  }
  const events: Emission<VenueFact>[] = [];
  // A fill proves the acceptance that is still under way.
  if (state.venueOrderId === undefined && report.venueOrderId !== undefined) {
    events.push(placed(state, report.venueOrderId, report.timestamp));
  }
  events.push({
    type: 'trade.executed',
    data: {
      order_id: state.orderId,
      token: state.token,
      fill_price: num15(toNumber(price)),
      filled_amount: num15(toNumber(quantity)),
      timestamp: report.timestamp,
      fillId,
      portfolio: state.portfolio,
      instrument: state.instrument,
      side: state.side,
      price: canonical(price),
      quantity: canonical(quantity),
      fee: canonical(fee),
      feeAsset,
      liquidity,
      cumulativeQuantity: cumulative,
      status: toQuantity === 0 ? 'FILLED' : 'PARTIALLY_FILLED',
    },
  });
  const anomaly = secondVenueOrder(state, report) ?? fillAnomaly(state, fillId);
  return anomaly === undefined ? { events } : { events, anomaly };
}

function rejected(state: OrderState, report: Report): VenueDecision {
  if (isTerminal(state.status)) return NOTHING;
  // What has filled in part was accepted: the venue refuses the rest, which ends the order as a cancellation does.
  if (sign(state.filled) > 0) return { events: [cancelled(state, report, 'the rest was rejected by the venue')] };
  return {
    events: [
      {
        type: 'trade.rejected',
        data: {
          order_id: state.orderId,
          portfolio: state.portfolio,
          token: state.token,
          instrument: state.instrument,
          reason: report.code ?? 'venue_rejected',
          message: report.message ?? 'The venue rejected the order without a reason.',
          stage: 'venue',
          timestamp: report.timestamp,
        },
      },
    ],
  };
}

function placed(state: OrderState, venueOrderId: string, timestamp: number): Emission<'trade.placed'> {
  return {
    type: 'trade.placed',
    data: {
      order_id: state.orderId,
      token: state.token,
      size: num15(toNumber(state.quantity)),
      order_type: state.orderType,
      portfolio: state.portfolio,
      instrument: state.instrument,
      side: state.side,
      quantity: state.quantity,
      venueOrderId,
      timestamp,
    },
  };
}

function cancelled(state: OrderState, report: Report, otherwise: string): Emission<'trade.cancelled'> {
  const { orderId: order_id, portfolio, token, filled: filledQuantity } = state;
  const reason = report.message ?? report.code ?? otherwise;
  return {
    type: 'trade.cancelled',
    data: { order_id, portfolio, token, filledQuantity, reason, timestamp: report.timestamp },
  };
}

function expired(state: OrderState, report: Report): Emission<'trade.expired'> {
  const { orderId: order_id, portfolio, token, filled: filledQuantity } = state;
  return { type: 'trade.expired', data: { order_id, portfolio, token, filledQuantity, timestamp: report.timestamp } };
}

type Fill = Required<Pick<Report, 'fillId' | 'price' | 'quantity' | 'fee' | 'feeAsset' | 'liquidity'>>;

/** The fill in a report, whole or not at all: a missing fee is not a fee of zero. */
function fillOf(report: Report): Fill | undefined {
  const { fillId, price, quantity, fee, feeAsset, liquidity } = report;
  if (fillId === undefined || price === undefined || quantity === undefined || fee === undefined) return undefined;
  if (feeAsset === undefined || liquidity === undefined || sign(quantity) <= 0) return undefined;
  return { fillId, price, quantity, fee, feeAsset, liquidity };
}

function termsDiffer(state: OrderState, report: Report): { refused: Problem } | undefined {
  const otherSide = report.side !== undefined && report.side !== state.side;
  const otherInstrument = report.instrument !== undefined && report.instrument !== state.instrument;
  if (!otherSide && !otherInstrument) return undefined;
  return refuse(
    'fill_mismatch',
    `Fill ${report.fillId} is no ${state.side} of ${state.instrument}, which order ${state.orderId} is.`,
    {
      side: report.side ?? null,
      instrument: report.instrument ?? null,
    },
  );
}

/** Two orders at the venue under one order of ours: it was sent twice, and both may fill. */
function secondVenueOrder(state: OrderState, report: Report): Problem | undefined {
  const { venueOrderId } = report;
  if (venueOrderId === undefined || state.venueOrderId === undefined || venueOrderId === state.venueOrderId)
    return undefined;
  return {
    code: 'second_venue_order',
    message: `The venue has order ${state.orderId} twice: as ${state.venueOrderId} and as ${venueOrderId}.`,
    details: { known: state.venueOrderId, reported: venueOrderId },
  };
}

function fillAnomaly(state: OrderState, fillId: string): Problem | undefined {
  if (state.status === 'rejected') {
    return { code: 'fill_after_rejection', message: `Fill ${fillId} came after order ${state.orderId} was rejected.` };
  }
  if (state.status === 'approved') {
    return {
      code: 'fill_before_submission',
      message: `Fill ${fillId} came before order ${state.orderId} was stored as sent.`,
    };
  }
  return undefined;
}
