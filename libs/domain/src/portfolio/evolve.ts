import type { EmitData, EventType } from '@moon/events';
import { findInstrument, type Instrument } from '../instruments';
import { abs, add, isZero, sign, sub } from '../money';
import type { Emission } from '../order/decision';
import { closingQuantity, initialMargin, share, signed, valueOf } from './booking';
import { withEntry, withId, withoutEntry, withoutId } from './entries';
import { settledAt, SETTLEMENTS_REMEMBERED } from './funding';
import { copyOfPortfolio, type HaltState, type PortfolioState, type PositionState, type Reservation } from './state';

/** Finds the definition of an instrument by its id. */
export type InstrumentLookup = (id: string) => Instrument | undefined;

/** An event that a portfolio's books cannot take: its stream is corrupt, or its writer has a bug. */
export class IllegalPortfolioEvent extends Error {
  constructor(type: string, why: string) {
    super(`${type} cannot be booked: ${why}`);
    this.name = 'IllegalPortfolioEvent';
  }
}

/**
 * The portfolio after one more event of its stream. Amounts are taken from the event, never computed again, so an old
 * stream folds to the same books under newer rules. Events that are not about a portfolio's books leave it as it is.
 *
 * @param instruments needed for `portfolio.position_opened` only, whose event states a price instead of a cost
 */
export function evolvePortfolio(
  state: PortfolioState | undefined,
  event: Emission,
  instruments: InstrumentLookup = findInstrument,
): PortfolioState {
  if (state === undefined) {
    if (event.type === 'portfolio.opened') return opened(event.data);
    throw new IllegalPortfolioEvent(event.type, 'the portfolio was not opened yet.');
  }
  if (!concerns(state, event)) return state;
  switch (event.type) {
    case 'portfolio.opened':
      throw new IllegalPortfolioEvent(event.type, `portfolio ${state.portfolio} is open already.`);
    case 'portfolio.deposited':
      return { ...state, cash: add(state.cash, event.data.amount), deposits: add(state.deposits, event.data.amount) };
    case 'portfolio.withdrawn':
      return {
        ...state,
        cash: sub(state.cash, event.data.amount),
        withdrawals: add(state.withdrawals, event.data.amount),
      };
    case 'portfolio.position_opened':
      return positionOpened(state, event.data, instruments);
    case 'portfolio.reserved':
      return reserved(state, event.data);
    case 'portfolio.reservation_released':
      return released(state, event.data);
    case 'portfolio.fill_booked':
      return fillBooked(state, event.data);
    case 'portfolio.funding_booked':
      return fundingBooked(state, event.data);
    case 'portfolio.liquidated':
      return { ...state, counters: { ...state.counters, liquidations: state.counters.liquidations + 1 } };
    case 'position.closed':
      return positionClosed(state, event.data);
    case 'portfolio.reconciled':
      return { ...state, reconciledAt: event.data.differences.length === 0 ? event.data.timestamp : null };
    case 'halt.raised':
      return { ...state, halts: [...without(state.halts, event.data), haltOf(event.data)] };
    case 'halt.lifted':
      return { ...state, halts: without(state.halts, event.data) };
    default:
      return state;
  }
}

/** Types that move a portfolio's books. */
const BOOKED: ReadonlySet<string> = new Set<EventType>([
  'portfolio.opened',
  'portfolio.deposited',
  'portfolio.withdrawn',
  'portfolio.position_opened',
  'portfolio.reserved',
  'portfolio.reservation_released',
  'portfolio.fill_booked',
  'portfolio.funding_booked',
  'portfolio.liquidated',
  'portfolio.reconciled',
  'position.closed',
  'halt.raised',
  'halt.lifted',
]);

/** Whether an event is about this portfolio; one of another portfolio throws, since it is in the wrong stream. */
function concerns(state: PortfolioState, event: Emission): boolean {
  if (!BOOKED.has(event.type)) return false;
  const { portfolio } = event.data as { portfolio?: string };
  if (portfolio !== undefined && portfolio !== state.portfolio) {
    throw new IllegalPortfolioEvent(event.type, `it is of portfolio ${portfolio}, not of ${state.portfolio}.`);
  }
  return true;
}

function opened(data: EmitData<'portfolio.opened'>): PortfolioState {
  const { accountModel, settlementAsset, ledgerScale, subscriptions, limits, sizing } = data;
  const marginMode = accountModel === 'margin' ? (data.marginMode ?? 'cross') : null;
  const instruments = Object.fromEntries(
    data.instruments.map(({ instrument, leverage, priceSource }) => [instrument, { leverage, priceSource }]),
  );
  return {
    portfolio: data.portfolio,
    config: { accountModel, marginMode, settlementAsset, ledgerScale, instruments, subscriptions, limits, sizing },
    cash: '0',
    deposits: '0',
    withdrawals: '0',
    realisedPnl: '0',
    fees: '0',
    funding: '0',
    foreignFees: {},
    positions: {},
    reservations: {},
    halts: [],
    fundingSettled: {},
    reconciledAt: null,
    counters: { fills: 0, closedPositions: 0, winners: 0, losers: 0, fundings: 0, liquidations: 0 },
    openedAt: data.timestamp,
  };
}

function positionOpened(
  state: PortfolioState,
  data: EmitData<'portfolio.position_opened'>,
  instruments: InstrumentLookup,
): PortfolioState {
  const instrument = instruments(data.instrument);
  if (instrument === undefined) {
    throw new IllegalPortfolioEvent('portfolio.position_opened', `instrument ${data.instrument} is not known.`);
  }
  if (state.positions[data.instrument] !== undefined) {
    throw new IllegalPortfolioEvent('portfolio.position_opened', `there is a position in ${data.instrument} already.`);
  }
  const quantity = signed(data.side === 'long' ? 'buy' : 'sell', data.quantity);
  const costBasis = valueOf(instrument, quantity, data.price, state.config.ledgerScale);
  const position = newPosition(state, data, quantity, costBasis);
  return {
    ...state,
    cash: state.config.accountModel === 'margin' ? state.cash : sub(state.cash, costBasis),
    positions: {
      ...state.positions,
      [data.instrument]: { ...position, margin: marginOf(state, data.margin, position) },
    },
  };
}

function marginOf(state: PortfolioState, given: string | undefined, position: PositionState): string {
  return state.config.marginMode === 'isolated' ? (given ?? position.margin) : '0';
}

function newPosition(
  state: PortfolioState,
  data: { instrument: string; token: string; timestamp: number },
  quantity: string,
  costBasis: string,
  fees = '0',
): PositionState {
  const leverage = state.config.instruments[data.instrument]?.leverage ?? 1;
  return {
    instrument: data.instrument,
    token: data.token,
    quantity,
    costBasis,
    margin: initialMargin(state.config, costBasis, leverage),
    leverage,
    realisedPnl: '0',
    fees,
    funding: '0',
    closedQuantity: '0',
    openedAt: data.timestamp,
  };
}

function reserved(state: PortfolioState, data: EmitData<'portfolio.reserved'>): PortfolioState {
  const { instrument, side, quantity, notional, reduceOnly } = data;
  const reservation: Reservation = { instrument, side, quantity, notional, reduceOnly };
  const next = copyOfPortfolio(state);
  next.reservations = withId(state.reservations, data.order_id, reservation);
  return next;
}

function released(state: PortfolioState, data: EmitData<'portfolio.reservation_released'>): PortfolioState {
  const held = state.reservations[data.order_id];
  if (held === undefined) {
    throw new IllegalPortfolioEvent('portfolio.reservation_released', `order ${data.order_id} has reserved nothing.`);
  }
  const quantity = sub(held.quantity, data.quantity);
  const notional = sub(held.notional, data.notional);
  if (sign(quantity) < 0 || sign(notional) < 0) {
    throw new IllegalPortfolioEvent(
      'portfolio.reservation_released',
      `order ${data.order_id} has not reserved that much.`,
    );
  }
  const next = copyOfPortfolio(state);
  next.reservations = isZero(quantity)
    ? withoutId(state.reservations, data.order_id)
    : withId(state.reservations, data.order_id, { ...held, quantity, notional });
  return next;
}

function fillBooked(state: PortfolioState, data: EmitData<'portfolio.fill_booked'>): PortfolioState {
  const { instrument, fee, feeAsset } = data;
  const own = feeAsset === state.config.settlementAsset;
  const position = moved(state, state.positions[instrument], data, own ? fee : '0');
  const next = copyOfPortfolio(state);
  next.cash = add(state.cash, data.cashDelta);
  next.realisedPnl = add(state.realisedPnl, data.realisedPnl);
  if (own) next.fees = add(state.fees, fee);
  else next.foreignFees = withEntry(state.foreignFees, feeAsset, add(state.foreignFees[feeAsset] ?? '0', fee));
  next.positions =
    position === undefined
      ? withoutEntry(state.positions, instrument)
      : withEntry(state.positions, instrument, position);
  const { fills, closedPositions, winners, losers, fundings, liquidations } = state.counters;
  next.counters = { fills: fills + 1, closedPositions, winners, losers, fundings, liquidations };
  return next;
}

/** The position after a fill; undefined when flat. A flip starts a new one with what is left of the fill and its fee. */
function moved(
  state: PortfolioState,
  position: PositionState | undefined,
  data: EmitData<'portfolio.fill_booked'>,
  fee: string,
): PositionState | undefined {
  const scale = state.config.ledgerScale;
  const traded = signed(data.side, data.quantity);
  if (position === undefined) return newPosition(state, data, traded, data.costBasisDelta, fee);
  const quantity = add(position.quantity, traded);
  if (isZero(quantity)) return undefined;
  const costBasis = add(position.costBasis, data.costBasisDelta);
  if (sign(quantity) !== sign(position.quantity)) {
    const closing = share(fee, abs(position.quantity), data.quantity, scale);
    return newPosition(state, data, quantity, costBasis, sub(fee, closing));
  }
  const closed = closingQuantity(position, data.side, data.quantity);
  const margin = isZero(closed)
    ? add(position.margin, initialMargin(state.config, data.costBasisDelta, position.leverage))
    : sub(position.margin, share(position.margin, closed, abs(position.quantity), scale));
  return {
    instrument: position.instrument,
    token: position.token,
    quantity,
    costBasis,
    margin,
    leverage: position.leverage,
    realisedPnl: add(position.realisedPnl, data.realisedPnl),
    fees: add(position.fees, fee),
    funding: position.funding,
    closedQuantity: add(position.closedQuantity, closed),
    openedAt: position.openedAt,
  };
}

function fundingBooked(state: PortfolioState, data: EmitData<'portfolio.funding_booked'>): PortfolioState {
  const { instrument, amount } = data;
  const position = state.positions[instrument];
  // A report may come after the position was closed or flipped; then only the account bears it.
  const bears = position !== undefined && sign(position.quantity) === sign(data.positionQuantity);
  const isolated = state.config.marginMode === 'isolated';
  const settled = [...(state.fundingSettled[instrument] ?? []), settledAt(data.settlementId)].sort((a, b) => a - b);
  return {
    ...state,
    cash: add(state.cash, amount),
    funding: add(state.funding, amount),
    positions: bears
      ? {
          ...state.positions,
          [instrument]: {
            ...position,
            funding: add(position.funding, amount),
            margin: isolated ? add(position.margin, amount) : position.margin,
          },
        }
      : state.positions,
    fundingSettled: withEntry(state.fundingSettled, instrument, settled.slice(-SETTLEMENTS_REMEMBERED)),
    counters: { ...state.counters, fundings: state.counters.fundings + 1 },
  };
}

function positionClosed(state: PortfolioState, data: EmitData<'position.closed'>): PortfolioState {
  const outcome = sign(add(sub(data.realisedPnl, data.fees), data.funding));
  const { counters } = state;
  const next = copyOfPortfolio(state);
  next.counters = {
    fills: counters.fills,
    closedPositions: counters.closedPositions + 1,
    winners: counters.winners + (outcome > 0 ? 1 : 0),
    losers: counters.losers + (outcome < 0 ? 1 : 0),
    fundings: counters.fundings,
    liquidations: counters.liquidations,
  };
  return next;
}

function haltOf({ source, scope, reason }: HaltState): HaltState {
  return { source, scope, reason };
}

function without(halts: readonly HaltState[], halt: HaltState): HaltState[] {
  return halts.filter(
    ({ source, scope, reason }) => source !== halt.source || scope !== halt.scope || reason !== halt.reason,
  );
}
