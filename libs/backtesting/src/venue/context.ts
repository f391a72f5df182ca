import { findInstrument, maintenanceTiers, toNumber, type Instrument } from '@moon/domain';
import type { VenueReport } from '@moon/kernel';
import type { VenueConfig } from './config';
import type { VenueModels } from './models';
import { own } from './own';
import { initialMarket, type AccountState, type MarketState, type OrderState, type VenueState } from './state';

/** Where one instrument is traded: its prices, its resting orders, and the margin accounts that hold it. */
export interface Desk {
  readonly instrument: Instrument;
  readonly market: MarketState;
  readonly resting: OrderState[];
  readonly multiplier: number;
  /** Falling by bound. */
  readonly tiers: readonly { bound: number; rate: number; deduction: number; maxLeverage: number }[];
  /** Margin accounts with an open position, by name. */
  readonly holders: AccountState[];
}

/**
 * The state with what is derived from it: look-ups that are built again on restore and that are never part of a
 * snapshot. Everything in `state` is reached through it.
 */
export interface VenueContext {
  readonly config: VenueConfig;
  readonly models: VenueModels;
  readonly state: VenueState;
  readonly desks: Map<string, Desk>;
  /** The same in order of instrument id: sums over desks must not depend on who came first. */
  readonly deskList: Desk[];
  /** By price source: the desks that trade at its prices. */
  readonly sources: Map<string, { market: MarketState; desks: Desk[] }>;
  /** By portfolio, by client order id: every order that is still known, oldest first. */
  readonly orders: Map<string, Map<string, OrderState[]>>;
  /** Reports that reach the platform during the present call. */
  out: VenueReport[];
}

/** Builds the look-ups over a state. */
export function createContext(config: VenueConfig, models: VenueModels, state: VenueState): VenueContext {
  const context: VenueContext = {
    config,
    models,
    state,
    desks: new Map(),
    deskList: [],
    sources: new Map(),
    orders: new Map(),
    out: [],
  };
  for (const account of Object.values(state.accounts)) {
    for (const order of account.finished) indexOrder(context, order);
    for (const position of Object.values(account.positions)) {
      const desk = openDesk(context, position.instrument);
      if (desk) updateHolder(desk, account);
    }
  }
  for (const [instrument, orders] of Object.entries(state.resting)) {
    openDesk(context, instrument);
    for (const order of orders) indexOrder(context, order);
  }
  for (const due of state.agenda) if (due.kind === 'order') indexOrder(context, due.order);
  for (const byId of context.orders.values()) for (const same of byId.values()) same.sort((a, b) => a.n - b.n);
  return context;
}

/** The instrument by the newest listing, or as it is built in. */
export function instrumentOf(context: VenueContext, id: string): Instrument | undefined {
  return own(context.state.listed, id) ?? findInstrument(id);
}

/** The desk of a traded instrument, opened at first use; undefined for an instrument that nobody knows. */
export function openDesk(context: VenueContext, id: string): Desk | undefined {
  const known = context.desks.get(id);
  if (known) return known;
  const instrument = instrumentOf(context, id);
  if (!instrument) return undefined;
  const source = openSource(context, own(context.config.priceSources, id) ?? id);
  const resting = own(context.state.resting, id) ?? (context.state.resting[id] = []);
  const desk: Desk = {
    instrument,
    market: source.market,
    resting,
    multiplier: toNumber(instrument.multiplier),
    tiers: maintenanceTiers(instrument)
      .map((tier) => ({
        bound: toNumber(tier.lowerBound),
        rate: toNumber(tier.rate),
        deduction: toNumber(tier.deduction),
        maxLeverage: tier.maxLeverage,
      }))
      .reverse(),
    holders: [],
  };
  context.desks.set(id, desk);
  for (const list of [context.deskList, source.desks]) {
    list.push(desk);
    list.sort((a, b) => (a.instrument.id < b.instrument.id ? -1 : 1));
  }
  return desk;
}

/** The prices of a source, kept from its first event or use on. */
export function openSource(context: VenueContext, id: string): { market: MarketState; desks: Desk[] } {
  let source = context.sources.get(id);
  if (!source) {
    const market = own(context.state.markets, id) ?? (context.state.markets[id] = initialMarket());
    source = { market, desks: [] };
    context.sources.set(id, source);
  }
  return source;
}

/** Takes a desk's instrument as it is now listed; orders, prices and holders stay. */
export function relist(context: VenueContext, instrument: Instrument): void {
  context.state.listed[instrument.id] = instrument;
  const old = context.desks.get(instrument.id);
  if (!old) return;
  context.desks.delete(instrument.id);
  const source = openSource(context, own(context.config.priceSources, instrument.id) ?? instrument.id);
  for (const list of [context.deskList, source.desks]) list.splice(list.indexOf(old), 1);
  openDesk(context, instrument.id)?.holders.push(...old.holders);
}

/** Notes whether a margin account holds the desk's instrument. */
export function updateHolder(desk: Desk, account: AccountState): void {
  if (account.accountModel !== 'margin') return;
  const { holders } = desk;
  const at = holders.indexOf(account);
  const holds = (account.positions[desk.instrument.id]?.quantity ?? '0') !== '0';
  if (holds && at < 0) {
    holders.push(account);
    holders.sort((a, b) => (a.portfolio < b.portfolio ? -1 : 1));
  } else if (!holds && at >= 0) holders.splice(at, 1);
}

export function indexOrder(context: VenueContext, order: OrderState): void {
  let byId = context.orders.get(order.portfolio);
  if (!byId) context.orders.set(order.portfolio, (byId = new Map()));
  const same = byId.get(order.clientOrderId);
  if (same) same.push(order);
  else byId.set(order.clientOrderId, [order]);
}

export function forgetOrder(context: VenueContext, order: OrderState): void {
  const byId = context.orders.get(order.portfolio);
  const same = byId?.get(order.clientOrderId);
  if (!byId || !same) return;
  if (same.length === 1) byId.delete(order.clientOrderId);
  else same.splice(same.indexOf(order), 1);
}
