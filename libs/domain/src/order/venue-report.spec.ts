import {
  acceptance,
  approved,
  codeOf,
  factsOf,
  fillReport,
  fold,
  report,
  requested,
  submitted,
  T0,
} from './fixtures/orders';
import { applyVenueReport, orderHashView, remainingQuantity, requestCancel, type Emission, type OrderState } from '.';

const types = (events: readonly Emission[]) => events.map(({ type }) => type);

/** The order after the reports, each of which must be taken. */
function after(reports: ReturnType<typeof report>[], from: OrderState = fold(submitted)): OrderState {
  return reports.reduce((state, next) => fold(factsOf(applyVenueReport(state, next)), state), from);
}

describe('reports of a venue about an order', () => {
  it('track it from acceptance through partial fills to filled', () => {
    const order = after([
      acceptance(),
      fillReport('a', '0.5', { price: '100' }),
      fillReport('b', '1.5', { price: '102', fee: '0.1' }),
    ]);
    expect(order).toMatchObject({
      status: 'filled',
      filled: '2',
      averagePrice: '101.5',
      fees: '0.145',
      fillIds: ['a', 'b'],
      venueOrderId: 'v1',
    });
    expect(remainingQuantity(order)).toBe('0');
  });

  it('track it to a rejection with its reason', () => {
    const facts = factsOf(
      applyVenueReport(fold(submitted), report('rejected', { code: 'min_notional', message: 'Below 10 USDC.' })),
    );
    expect(facts).toEqual([
      {
        type: 'trade.rejected',
        data: expect.objectContaining({ reason: 'min_notional', message: 'Below 10 USDC.', stage: 'venue' }),
      },
    ]);
    expect(fold(facts, fold(submitted))).toMatchObject({ status: 'rejected', reason: 'min_notional' });
  });

  it('give nothing when they are duplicates', () => {
    const fill = fillReport('a', '0.5');
    const order = after([acceptance(), fill]);
    for (const again of [acceptance(), fill, { ...fill, reportId: 'resent', venueSeq: 99 }]) {
      expect(applyVenueReport(order, again)).toEqual({ events: [] });
    }
    const cancelled = after([report('cancelled')], order);
    expect(applyVenueReport(cancelled, report('cancelled'))).toEqual({ events: [] });
    expect(applyVenueReport(cancelled, report('expired'))).toEqual({ events: [] });
    expect(applyVenueReport(cancelled, report('rejected'))).toEqual({ events: [] });
  });

  it('take a fill that overtook the acceptance: it proves it', () => {
    const facts = factsOf(applyVenueReport(fold(submitted), fillReport('a', '2')));
    expect(types(facts)).toEqual(['trade.placed', 'trade.executed']);
    const order = fold(facts, fold(submitted));
    expect(order.status).toBe('filled');
    expect(applyVenueReport(order, acceptance())).toEqual({ events: [] });
  });

  it('take an acceptance after a fill that did not name the venue order', () => {
    const order = after([fillReport('a', '0.5', { venueOrderId: undefined }), acceptance()]);
    expect(order).toMatchObject({ status: 'partially_filled', venueOrderId: 'v1' });
  });

  it('take fills in any order to the same order', () => {
    const fills = [
      fillReport('a', '0.5', { price: '99' }),
      fillReport('b', '0.7', { price: '100.3' }),
      fillReport('c', '0.8', { price: '101' }),
    ];
    const forward = after([acceptance(), ...fills]);
    const backward = after([...fills.reverse(), acceptance()]);
    expect(orderHashView(backward)).toEqual(orderHashView(forward));
    expect(backward.averagePrice).toBe(forward.averagePrice);
  });

  it.each(['cancelled', 'expired'] as const)('book a late fill of an order that was %s', (kind) => {
    const over = after([acceptance(), fillReport('a', '0.5'), report(kind)]);
    expect(over.status).toBe(kind);
    const late = after([fillReport('b', '1')], over);
    expect(late).toMatchObject({ status: kind, filled: '1.5' });
    expect(after([fillReport('c', '0.5')], late)).toMatchObject({ status: 'filled', filled: '2' });
  });

  it('book a fill that came between the request to cancel and the cancellation', () => {
    const working = after([acceptance()]);
    const asked = fold(factsOf(requestCancel(working, { reason: 'force close', timestamp: T0 + 9 })), working);
    const order = after([fillReport('a', '0.5'), report('cancelled', { message: 'by user' })], asked);
    expect(order).toMatchObject({ status: 'cancelled', filled: '0.5', cancelRequested: true, reason: 'by user' });
  });

  it('keep an order going whose cancellation the venue refused', () => {
    const working = after([acceptance()]);
    expect(applyVenueReport(working, report('cancel_rejected'))).toEqual({ events: [] });
  });

  it('end a partly filled order whose rest was rejected', () => {
    const order = after([acceptance(), fillReport('a', '0.5'), report('rejected', { code: 'margin' })]);
    expect(order).toMatchObject({ status: 'cancelled', filled: '0.5', reason: 'margin' });
  });

  it('resolve an unknown outcome', () => {
    const unknown = fold(
      [
        {
          type: 'order.outcome_unknown',
          data: { order_id: submittedId(), portfolio: 'main', attempt: 1, detail: 'timeout', timestamp: T0 + 4 },
        },
      ],
      fold(submitted),
    );
    expect(unknown.status).toBe('unknown');
    expect(orderHashView(after([acceptance()], unknown))).toEqual(orderHashView(after([acceptance()])));
    expect(after([report('expired')], unknown).status).toBe('expired');
  });

  it('are refused with a code, never dropped, when they would over-fill', () => {
    const order = after([acceptance(), fillReport('a', '1.5')]);
    const decision = applyVenueReport(order, fillReport('b', '0.50001'));
    expect(decision).toEqual({
      refused: {
        code: 'overfill',
        message: expect.stringContaining('2.00001 of 2'),
        details: { filled: '1.5', quantity: '2', fill: '0.50001' },
      },
    });
    expect(codeOf(applyVenueReport(after([fillReport('b', '0.5')], order), fillReport('c', '0.00000001')))).toBe(
      'overfill',
    );
  });

  it('are refused when they are about something else', () => {
    const order = fold(submitted);
    expect(
      codeOf(applyVenueReport(order, report('accepted', { order_id: 'a4be2f6d-7f0c-53d1-9f43-5d2c1b0a9e05' }))),
    ).toBe('wrong_order');
    expect(codeOf(applyVenueReport(order, fillReport('a', '1', { side: 'sell' })))).toBe('fill_mismatch');
    expect(codeOf(applyVenueReport(order, fillReport('a', '1', { instrument: 'ETH.HYPERLIQUID' })))).toBe(
      'fill_mismatch',
    );
    expect(codeOf(applyVenueReport(order, report('funding')))).toBe('not_an_order_report');
    expect(codeOf(applyVenueReport(order, report('accepted')))).toBe('report_incomplete');
    for (const missing of ['fillId', 'price', 'quantity', 'fee', 'feeAsset', 'liquidity']) {
      expect(codeOf(applyVenueReport(order, fillReport('a', '1', { [missing]: undefined })))).toBe('fill_incomplete');
    }
    expect(codeOf(applyVenueReport(fold(requested), acceptance()))).toBe('report_of_unsent_order');
  });

  it('book a true fill that should not have come about, and say so', () => {
    const rejected = after([report('rejected')]);
    expect(applyVenueReport(rejected, fillReport('a', '1'))).toMatchObject({
      events: [{}, {}],
      anomaly: { code: 'fill_after_rejection' },
    });
    expect(applyVenueReport(fold(approved), fillReport('a', '1'))).toMatchObject({
      anomaly: { code: 'fill_before_submission' },
    });
    expect(applyVenueReport(fold(approved), acceptance())).toMatchObject({
      anomaly: { code: 'accepted_before_submission' },
    });
    expect(after([fillReport('a', '1')], rejected)).toMatchObject({ status: 'cancelled', filled: '1' });
  });

  it('tell of an order that the venue has twice', () => {
    const order = after([acceptance()]);
    expect(codeOf(applyVenueReport(order, report('accepted', { venueOrderId: 'v2' })))).toBe('second_venue_order');
    const decision = applyVenueReport(order, fillReport('a', '1', { venueOrderId: 'v2' }));
    expect(decision).toMatchObject({ events: [{ type: 'trade.executed' }], anomaly: { code: 'second_venue_order' } });
  });
});

function submittedId(): string {
  return fold(submitted).orderId;
}
