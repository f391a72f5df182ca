import {
  acceptance,
  approved,
  codeOf,
  factsOf,
  fillReport,
  fold,
  reckoning,
  request,
  requested,
  submission,
  submitted,
  T0,
} from './fixtures/orders';
import {
  applyVenueReport,
  approveOrder,
  expireOrder,
  markOutcomeUnknown,
  rejectOrder,
  requestCancel,
  requestOrder,
  submitOrder,
} from '.';

const verdict = { limitsChecked: 18, recordedBreaches: [], timestamp: T0 + 1 };
const refusal = {
  reason: 'max_leverage',
  message: 'Leverage 3.4 is above 3.',
  stage: 'limits',
  timestamp: T0 + 1,
} as const;

describe('decisions about an order', () => {
  it('request it once, with its quantities in canonical form', () => {
    expect(
      factsOf(requestOrder(undefined, { ...request, quantity: '2.50' }, { ...reckoning, notional: '210.0' })),
    ).toEqual([
      { type: 'order.requested', data: expect.objectContaining({ quantity: '2.5', reservation: { notional: '210' } }) },
    ]);
    expect(codeOf(requestOrder(fold(requested), request, reckoning))).toBe('duplicate_order');
  });

  it('refuse a request without what its kind needs', () => {
    expect(codeOf(requestOrder(undefined, { ...request, quantity: '0' }, reckoning))).toBe('invalid_quantity');
    expect(codeOf(requestOrder(undefined, { ...request, orderType: 'LIMIT' }, reckoning))).toBe('price_missing');
    expect(codeOf(requestOrder(undefined, { ...request, orderType: 'STOP' }, reckoning))).toBe('price_missing');
    const limit = { ...request, orderType: 'LIMIT', limitPrice: '99.50' } as const;
    expect(fold(factsOf(requestOrder(undefined, limit, reckoning)))).toMatchObject({
      orderType: 'LIMIT',
      limitPrice: '99.5',
    });
    const stop = { ...request, orderType: 'STOP', stopPrice: '95' } as const;
    expect(fold(factsOf(requestOrder(undefined, stop, reckoning)))).toMatchObject({
      orderType: 'STOP',
      stopPrice: '95',
    });
  });

  it('approve or reject what was requested', () => {
    const order = fold(requested);
    expect(fold(factsOf(approveOrder(order, verdict)), order).status).toBe('approved');
    const breaches = [{ code: 'max_leverage', message: 'too high', value: 3.4, bound: 3 }];
    expect(fold(factsOf(rejectOrder(order, { ...refusal, breaches })), order)).toMatchObject({
      status: 'rejected',
      reason: 'max_leverage',
    });
    expect(codeOf(approveOrder(fold(approved), verdict))).toBe('illegal_transition');
  });

  it('reject one that the sender withheld, but none that the venue may have', () => {
    const sent = fold(submitted);
    const withheld = { ...refusal, reason: 'halted', stage: 'venue' } as const;
    expect(fold(factsOf(rejectOrder(sent, withheld)), sent).status).toBe('rejected');
    const unknown = fold(factsOf(markOutcomeUnknown(sent, { detail: 'timeout', timestamp: T0 + 5 })), sent);
    expect(codeOf(rejectOrder(unknown, withheld))).toBe('illegal_transition');
    const accepted = fold(factsOf(applyVenueReport(sent, acceptance())), sent);
    expect(codeOf(rejectOrder(accepted, withheld))).toBe('illegal_transition');
  });

  it('store the signed bytes and allow another attempt only when these have expired at the venue', () => {
    const order = fold(submitted);
    expect(order).toMatchObject({
      status: 'submitted',
      attempt: 1,
      nonce: 1,
      payload: submission.payload,
      signature: '0x5f',
    });
    const again = { ...submission, nonce: 2, expiresAt: T0 + 90_000, timestamp: T0 + 40_000 };
    expect(codeOf(submitOrder(order, again))).toBe('attempt_not_expired');
    expect(codeOf(submitOrder(order, { ...again, venueTime: submission.expiresAt }))).toBe('attempt_not_expired');
    const second = fold(factsOf(submitOrder(order, { ...again, venueTime: submission.expiresAt + 1 })), order);
    expect(second).toMatchObject({ status: 'submitted', attempt: 2, nonce: 2 });
    expect(codeOf(submitOrder(fold(requested), submission))).toBe('illegal_transition');
  });

  it('expire an order that the venue never got, once its bytes are worthless', () => {
    const order = fold(submitted);
    expect(codeOf(expireOrder(order, { venueTime: submission.expiresAt, timestamp: T0 + 30_000 }))).toBe(
      'attempt_not_expired',
    );
    const late = { venueTime: submission.expiresAt + 1, timestamp: T0 + 31_000 };
    expect(fold(factsOf(expireOrder(order, late)), order).status).toBe('expired');
    expect(codeOf(expireOrder(fold(approved), late))).toBe('illegal_transition');
  });

  it('cancel at once what was never sent, and ask the venue otherwise', () => {
    const ask = { reason: 'force close', timestamp: T0 + 3 };
    const unsent = factsOf(requestCancel(fold(approved), ask));
    expect(unsent.map(({ type }) => type)).toEqual(['order.cancel_requested', 'trade.cancelled']);
    expect(fold(unsent, fold(approved)).status).toBe('cancelled');
    const sent = fold(factsOf(requestCancel(fold(submitted), ask)), fold(submitted));
    expect(sent).toMatchObject({ status: 'submitted', cancelRequested: true });
    expect(factsOf(requestCancel(sent, ask)).map(({ type }) => type)).toEqual(['order.cancel_requested']);
    expect(codeOf(requestCancel(fold(unsent, fold(approved)), ask))).toBe('order_terminal');
  });

  it('forget a timeout when the answer overtook it', () => {
    const filled = fold(factsOf(applyVenueReport(fold(submitted), fillReport('a', '2'))), fold(submitted));
    expect(markOutcomeUnknown(filled, { detail: 'timeout', timestamp: T0 + 20 })).toEqual({ events: [] });
    expect(codeOf(markOutcomeUnknown(fold(approved), { detail: 'timeout', timestamp: T0 + 20 }))).toBe(
      'illegal_transition',
    );
  });
});
