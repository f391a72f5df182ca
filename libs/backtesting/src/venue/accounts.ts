import { canonical, cmp, div, isZero } from '@moon/domain';
import { canonicalJson, VenueRefused } from '@moon/kernel';
import type {
  AccountSpec,
  InitialPosition,
  VenueBooks,
  VenueOpenOrder,
  VenueOrderStatus,
  VenuePosition,
} from '@moon/kernel';
import { openDesk, updateHolder, type VenueContext } from './context';
import { flat, isolatedMargin, signedQuantity, valueAt } from './ledger';
import { requireAccount } from './reports';
import type { AccountState, OrderState } from './state';

const DEFAULT_SCALE = 12;
/** Report and order ids start with the portfolio's name and must stay within an event's line. */
const LONGEST_NAME = 150;

/**
 * Opens the account of a portfolio, with its initial positions. Opened again, only leverage and signing key may
 * differ, and are taken over.
 *
 * @throws VenueRefused `malformed`, `unknown_instrument`, `leverage`, `account_differs`; nothing is changed then
 */
export function openAccount(context: VenueContext, spec: AccountSpec): void {
  const known = context.state.accounts[spec.portfolio];
  const identity = identityOf(spec);
  if (known && known.identity !== identity) {
    throw new VenueRefused(
      'account_differs',
      `The account of "${spec.portfolio}" is open as ${known.identity}, not as ${identity}.`,
    );
  }
  checkSpec(context, spec);
  if (known) {
    known.leverage = { ...spec.leverage };
    known.signingKey = spec.signingKey ?? null;
    return;
  }
  const account = newAccount(spec, identity);
  context.state.accounts[spec.portfolio] = account;
  for (const position of spec.positions ?? []) bookInitial(context, account, position);
}

function checkSpec(context: VenueContext, spec: AccountSpec): void {
  const { portfolio } = spec;
  if (portfolio.length === 0 || portfolio.length > LONGEST_NAME || portfolio === '__proto__') {
    throw new VenueRefused(
      'malformed',
      `A portfolio's name has 1 to ${LONGEST_NAME} characters; it is "${portfolio.slice(0, 80)}".`,
    );
  }
  if (cmp(spec.deposit, '0') < 0)
    throw new VenueRefused('malformed', `The deposit of "${portfolio}" is ${spec.deposit}, below zero.`);
  for (const [id, leverage] of Object.entries(spec.leverage)) {
    const desk = openDesk(context, id);
    if (!desk) throw new VenueRefused('unknown_instrument', `${id} is not traded here.`);
    const highest = desk.instrument.maxLeverage;
    if (!Number.isSafeInteger(leverage) || leverage < 1 || leverage > highest) {
      throw new VenueRefused(
        'leverage',
        `${id} allows a leverage of 1 to ${highest}; "${portfolio}" asks for ${leverage}.`,
      );
    }
  }
  for (const { instrument } of spec.positions ?? []) {
    if (!openDesk(context, instrument))
      throw new VenueRefused('unknown_instrument', `${instrument} is not traded here.`);
  }
}

/** What may not differ from one opening to the next. */
function identityOf(spec: AccountSpec): string {
  return canonicalJson({
    accountModel: spec.accountModel,
    marginMode: marginModeOf(spec),
    settlementAsset: spec.settlementAsset,
    ledgerScale: spec.ledgerScale ?? DEFAULT_SCALE,
    deposit: canonical(spec.deposit),
    positions: spec.positions ?? [],
  });
}

function marginModeOf(spec: AccountSpec): AccountState['marginMode'] {
  return spec.accountModel === 'margin' ? (spec.marginMode ?? 'cross') : null;
}

function newAccount(spec: AccountSpec, identity: string): AccountState {
  return {
    portfolio: spec.portfolio,
    identity,
    accountModel: spec.accountModel,
    marginMode: marginModeOf(spec),
    settlementAsset: spec.settlementAsset,
    ledgerScale: spec.ledgerScale ?? DEFAULT_SCALE,
    leverage: { ...spec.leverage },
    signingKey: spec.signingKey ?? null,
    cash: canonical(spec.deposit),
    realisedPnl: '0',
    fees: '0',
    funding: '0',
    positions: {},
    watches: {},
    settled: {},
    taken: {},
    nonces: [],
    orderCount: 0,
    fillCount: 0,
    venueSeq: 0,
    reports: [],
    finished: [],
  };
}

/** Rule 14: it comes in like a deposit in kind, so no cash moves. */
function bookInitial(context: VenueContext, account: AccountState, initial: InitialPosition): void {
  const desk = openDesk(context, initial.instrument);
  if (!desk) return;
  const quantity = signedQuantity(initial.side === 'long' ? 'buy' : 'sell', canonical(initial.quantity));
  const costBasis = valueAt(desk.instrument, quantity, initial.price, account.ledgerScale);
  const isIsolated = account.marginMode === 'isolated';
  const margin = isIsolated ? (initial.margin ?? isolatedMargin(account, initial.instrument, costBasis)) : '0';
  account.positions[initial.instrument] = { ...flat(initial.instrument), quantity, costBasis, margin };
  updateHolder(desk, account);
}

/** The account's books as they stand. @throws VenueRefused `unknown_account` */
export function booksOf(context: VenueContext, portfolio: string): VenueBooks {
  const account = requireAccount(context, portfolio);
  const isIsolated = account.marginMode === 'isolated';
  const positions: VenuePosition[] = [];
  for (const position of Object.values(account.positions)) {
    if (position.quantity === '0') continue;
    const { instrument, quantity, costBasis, margin, realisedPnl, fees, funding } = position;
    const token = context.desks.get(instrument)?.instrument.token ?? '';
    positions.push({
      instrument,
      token,
      quantity,
      costBasis,
      margin: isIsolated ? margin : null,
      realisedPnl,
      fees,
      funding,
    });
  }
  positions.sort((a, b) => (a.instrument < b.instrument ? -1 : 1));
  return {
    portfolio,
    venueTime: context.state.time,
    cash: account.cash,
    realisedPnl: account.realisedPnl,
    fees: account.fees,
    funding: account.funding,
    positions,
    openOrders: openOrdersOf(context, account),
    lastVenueSeq: account.venueSeq,
  };
}

function openOrdersOf(context: VenueContext, account: AccountState): VenueOpenOrder[] {
  const open: OrderState[] = [];
  for (const orders of Object.values(context.state.resting)) {
    for (const order of orders) if (order.portfolio === account.portfolio) open.push(order);
  }
  open.sort((a, b) => a.n - b.n);
  return open.map((order) => ({
    clientOrderId: order.clientOrderId,
    orderId: order.orderId,
    venueOrderId: order.venueOrderId ?? '',
    instrument: order.instrument,
    side: order.side,
    orderType: order.orderType,
    quantity: order.quantity,
    filledQuantity: order.filled,
    limitPrice: order.limitPrice,
    stopPrice: order.stopPrice,
    reduceOnly: order.reduceOnly,
  }));
}

/** What is known of a client order id; of several orders the one submitted last. */
export function statusOf(context: VenueContext, portfolio: string, clientOrderId: string): VenueOrderStatus {
  const venueTime = context.state.time;
  const same = context.orders.get(portfolio)?.get(clientOrderId) ?? [];
  const order = same.at(-1);
  if (!order) return { known: false, venueTime };
  return {
    known: true,
    venueTime,
    orderId: order.orderId,
    venueOrderId: order.venueOrderId,
    status: order.status,
    filledQuantity: order.filled,
    averagePrice: isZero(order.filled) ? null : div(order.filledNotional, order.filled, 18),
    fees: order.fees,
    ...(order.code === null || order.status === 'pending' ? {} : { code: order.code }),
    orders: same.length,
  };
}
