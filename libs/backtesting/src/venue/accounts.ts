import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { canonical, div, isZero } from '@moon/domain';
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
import { own } from './own';
import { requireAccount } from './reports';
import type { AccountState, OrderState } from './state';

const DEFAULT_SCALE = 12;
const MOST_SCALE = 18;

const amount = Type.String({ pattern: '^\\d{1,24}(\\.\\d{1,18})?$', maxLength: 43 });
const above0 = Type.String({ pattern: '^(?=.*[1-9])\\d{1,24}(\\.\\d{1,18})?$', maxLength: 43 });

const specSchema = TypeCompiler.Compile(
  Type.Object(
    {
      // Report and order ids start with the portfolio's name and must stay within an event's line.
      portfolio: Type.String({ minLength: 1, maxLength: 150, pattern: '^(?!__proto__$)' }),
      accountModel: Type.Union([Type.Literal('cash'), Type.Literal('cash-short-credit'), Type.Literal('margin')]),
      marginMode: Type.Optional(Type.Union([Type.Literal('isolated'), Type.Literal('cross')])),
      settlementAsset: Type.String({ minLength: 1, maxLength: 40 }),
      ledgerScale: Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_SCALE })),
      deposit: amount,
      leverage: Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 1_000 })),
      positions: Type.Optional(
        Type.Array(
          Type.Object(
            {
              instrument: Type.String(),
              side: Type.Union([Type.Literal('long'), Type.Literal('short')]),
              quantity: above0,
              price: above0,
              margin: Type.Optional(amount),
            },
            { additionalProperties: false },
          ),
        ),
      ),
      signingKey: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
      openedAt: Type.Integer({ minimum: 0 }),
    },
    { additionalProperties: false },
  ),
);

/**
 * Opens the account of a portfolio, with its initial positions. Opened again, only leverage and signing key may
 * differ, and are taken over.
 *
 * @throws VenueRefused `malformed`, `unknown_instrument`, `leverage`, `account_differs`; nothing is changed then
 */
export function openAccount(context: VenueContext, spec: AccountSpec): void {
  const problem = specSchema.Check(spec) ? undefined : specSchema.Errors(spec).First();
  if (problem)
    throw new VenueRefused('malformed', `The account does not fit at ${problem.path || '/'}: ${problem.message}.`);
  const known = own(context.state.accounts, spec.portfolio);
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
  for (const position of spec.positions ?? []) bookInitial(context, account, position, spec.openedAt);
}

function checkSpec(context: VenueContext, spec: AccountSpec): void {
  const { portfolio } = spec;
  for (const [id, leverage] of Object.entries(spec.leverage)) {
    const desk = openDesk(context, id);
    if (!desk) throw new VenueRefused('unknown_instrument', `${id} is not traded here.`);
    const highest = desk.instrument.maxLeverage;
    if (leverage > highest) {
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
    bookTaken: {},
    volumes: [],
    nonces: [],
    orderCount: 0,
    fillCount: 0,
    venueSeq: 0,
    reportsUnderWay: 0,
    lastReportAt: 0,
    reports: [],
    finished: [],
  };
}

/** Rule 14: it comes in like a deposit in kind, so no cash moves. */
function bookInitial(context: VenueContext, account: AccountState, initial: InitialPosition, knownFrom: number): void {
  const desk = openDesk(context, initial.instrument);
  if (!desk) return;
  const quantity = signedQuantity(initial.side === 'long' ? 'buy' : 'sell', canonical(initial.quantity));
  const costBasis = valueAt(desk.instrument, quantity, initial.price, account.ledgerScale);
  const isIsolated = account.marginMode === 'isolated';
  const margin = isIsolated ? (initial.margin ?? isolatedMargin(account, initial.instrument, costBasis)) : '0';
  account.positions[initial.instrument] = { ...flat(initial.instrument), quantity, costBasis, margin, knownFrom };
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
