import { createHash } from 'node:crypto';
import { CATALOG, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { canonicalJson } from '../core/canonical-json';
import type { CancelPayload, OrderPayload, SignedCancel, SignedOrder } from '../ports/venue';

/** What tests of a venue feed it with: market events and signed orders. Times are ms after `T0`. */

/** Where the tests' feed time begins: 2022-01-01 00:00 UTC. */
export const T0 = 1_640_995_200_000;
const MINUTE = 60_000;

/** A market event as a feed would send it; its id is derived from type, time and data. */
export function marketEvent<T extends EventType>(type: T, occurredAt: number, data: EmitData<T>): AnyEvent {
  const digest = createHash('sha256')
    .update(JSON.stringify([type, occurredAt, data]))
    .digest('hex');
  const id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return {
    id,
    type,
    schemaVersion: CATALOG[type].schemaVersion,
    source: 'test',
    key: String((data as { token?: string }).token),
    occurredAt,
    correlationId: id,
    causationId: null,
    data: { event_type: type, ...data },
  } as unknown as AnyEvent;
}

/** A price at `at`; with `size` it is a trade of that size. */
export function tick(
  instrument: string,
  at: number,
  price: number,
  more: Partial<EmitData<'price.tick'>> = {},
): AnyEvent {
  const base = { token: tokenOf(instrument), instrument, price, volume_1m: 0, timestamp: T0 + at };
  return marketEvent('price.tick', T0 + at, { ...base, kind: 'last', ...more });
}

/** The opening of a one-minute bar at minute `minute`. */
export function barOpened(instrument: string, minute: number, open: number): AnyEvent {
  const timestamp = T0 + minute * MINUTE;
  const bar = { token: tokenOf(instrument), instrument, intervalMs: MINUTE, open, timestamp };
  return marketEvent('bar.opened', timestamp, bar);
}

type Prices = readonly [open: number, high: number, low: number, close: number];

/** The end of the one-minute bar that opened at minute `minute`. */
export function barClosed(instrument: string, minute: number, prices: Prices, volume = 10): AnyEvent {
  const [open, high, low, close] = prices;
  const openedAt = T0 + minute * MINUTE;
  const timestamp = openedAt + MINUTE;
  const bar = { token: tokenOf(instrument), instrument, intervalMs: MINUTE, open, high, low, close, volume };
  return marketEvent('bar.closed', timestamp, { ...bar, timestamp, openedAt });
}

/** A funding rate that settled at `at`. */
export function funding(instrument: string, at: number, rate: number, oraclePrice?: number): AnyEvent {
  return marketEvent('funding.update', T0 + at, {
    token: tokenOf(instrument),
    instrument,
    rate,
    intervalHours: 1,
    status: 'settled',
    settlesAt: T0 + at,
    timestamp: T0 + at,
    ...(oraclePrice === undefined ? {} : { oraclePrice }),
  });
}

function tokenOf(instrument: string): string {
  return instrument.startsWith('ETH') ? 'ETH' : 'BTC';
}

export interface OrderDraft extends Partial<Omit<OrderPayload, 'account'>> {
  portfolio?: string;
  orderId?: string;
  /** Replaces the signature. */
  signature?: string;
}

/** Writes orders and cancellations; each has a nonce and a client order id of its own unless the draft names them. */
export interface OrderDesk {
  order(instrument: string, side: 'buy' | 'sell', quantity: string, draft?: OrderDraft): SignedOrder;
  cancel(order: Pick<SignedOrder, 'portfolio' | 'clientOrderId'>, sentAt?: number): SignedCancel;
}

/** @param sign signature of a payload text */
export function orderDesk(sign: (payload: string) => string): OrderDesk {
  let serial = 0;
  return {
    order(instrument, side, quantity, draft = {}) {
      const { portfolio = 'main', orderId, signature, ...fields } = draft;
      serial += 1;
      const sentAt = T0 + (fields.sentAt ?? 0);
      const payload: OrderPayload = {
        account: portfolio,
        instrument,
        side,
        quantity,
        orderType: 'MARKET',
        timeInForce: 'GTC',
        reduceOnly: false,
        clientOrderId: `order-${serial}`,
        nonce: serial,
        ...fields,
        sentAt,
        expiresAt: fields.expiresAt === undefined ? sentAt + 15_000 : T0 + fields.expiresAt,
      };
      const text = canonicalJson(payload);
      const { clientOrderId, nonce, expiresAt } = payload;
      const id = orderId ?? `00000000-0000-5000-8000-${String(serial).padStart(12, '0')}`;
      const signed = { portfolio, orderId: id, clientOrderId, nonce, expiresAt, payload: text };
      return { ...signed, signature: signature ?? sign(text) };
    },
    cancel({ portfolio, clientOrderId }, sentAt = 0) {
      serial += 1;
      const nonce = serial;
      const expiresAt = T0 + sentAt + 15_000;
      const payload: CancelPayload = {
        account: portfolio,
        action: 'cancel',
        clientOrderId,
        nonce,
        expiresAt,
        sentAt: T0 + sentAt,
      };
      const text = canonicalJson(payload);
      return { portfolio, clientOrderId, nonce, expiresAt, payload: text, signature: sign(text) };
    },
  };
}
