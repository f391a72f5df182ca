import type { EmitData } from '@moon/events';
import { findInstrument } from '../instruments';
import { cmp, fromNumber, ledger, max, min, sign, sub, type Decimal } from '../money';
import { refuse, type Decision } from '../order/decision';
import { valueOf } from './booking';
import type { InstrumentLookup } from './evolve';
import { reservedNotional } from './queries';
import type { PortfolioState } from './state';
import type { Valuation } from './valuation';

/** Share of the total notional that a margin account keeps on a withdrawal (HyperLiquid docs, trading/margining). */
const WITHDRAWAL_KEEPS = 0.1;

/** Opens a portfolio, if its account model can hold every instrument it names and all settle in its asset. */
export function decideOpen(
  state: PortfolioState | undefined,
  config: EmitData<'portfolio.opened'>,
  instruments: InstrumentLookup = findInstrument,
): Decision<'portfolio.opened'> {
  if (state !== undefined) return refuse('already_open', `Portfolio ${config.portfolio} is open already.`);
  for (const { instrument: id, leverage } of config.instruments) {
    const instrument = instruments(id);
    if (instrument === undefined)
      return refuse('unknown_instrument', `Instrument ${id} of portfolio ${config.portfolio} is not known.`);
    if (instrument.settlement !== config.settlementAsset) {
      return refuse(
        'settlement_mismatch',
        `${id} settles in ${instrument.settlement}, portfolio ${config.portfolio} in ${config.settlementAsset}.`,
      );
    }
    if (instrument.kind === 'inverse' && config.accountModel !== 'margin') {
      return refuse(
        'unsupported_instrument',
        `${id} is an inverse contract; a ${config.accountModel} account cannot hold it.`,
      );
    }
    const highest = config.accountModel === 'margin' ? instrument.maxLeverage : 1;
    if (leverage > highest) {
      return refuse(
        'leverage_too_high',
        `${id} allows a leverage of ${highest} in a ${config.accountModel} account; asked for ${leverage}.`,
      );
    }
  }
  return { events: [{ type: 'portfolio.opened', data: config }] };
}

interface Flow {
  /** Settlement asset, above zero. */
  amount: Decimal;
  timestamp: number;
}

export function decideDeposit(state: PortfolioState, flow: Flow): Decision<'portfolio.deposited'> {
  const amount = ledger(flow.amount, state.config.ledgerScale);
  if (sign(amount) <= 0) return refuse('invalid_amount', `A deposit needs an amount above zero, not ${flow.amount}.`);
  const { portfolio, config } = state;
  const data = { portfolio, amount, asset: config.settlementAsset, timestamp: flow.timestamp };
  return { events: [{ type: 'portfolio.deposited', data }] };
}

/**
 * Takes money out, as far as nothing in flight or open needs it.
 *
 * @param value the present valuation; needed as soon as a margin account has positions
 */
export function decideWithdrawal(
  state: PortfolioState,
  flow: Flow,
  value?: Valuation,
): Decision<'portfolio.withdrawn'> {
  const amount = ledger(flow.amount, state.config.ledgerScale);
  if (sign(amount) <= 0)
    return refuse('invalid_amount', `A withdrawal needs an amount above zero, not ${flow.amount}.`);
  const positions = Object.keys(state.positions).length;
  if (state.config.accountModel === 'margin' && positions > 0 && value === undefined) {
    return refuse(
      'valuation_missing',
      `Portfolio ${state.portfolio} has ${positions} positions; what it can spare is not known without prices.`,
    );
  }
  const free = withdrawable(state, value);
  if (cmp(amount, free) > 0) {
    return refuse(
      'insufficient_funds',
      `Portfolio ${state.portfolio} can spare ${free} ${state.config.settlementAsset}, not ${amount}.`,
      { free },
    );
  }
  const { portfolio, config } = state;
  const data = { portfolio, amount, asset: config.settlementAsset, timestamp: flow.timestamp };
  return { events: [{ type: 'portfolio.withdrawn', data }] };
}

function withdrawable(state: PortfolioState, value: Valuation | undefined): Decimal {
  const cash = sub(state.cash, reservedNotional(state));
  if (value === undefined) return max(cash, '0');
  const kept = Math.max(value.marginUsed, value.grossExposure * WITHDRAWAL_KEEPS);
  const equity = state.config.accountModel === 'margin' ? value.equity - kept : value.equity;
  return max(min(cash, fromNumber(equity)), '0');
}

/** A position that was there at the start (rule 14). A cash account pays for it from its deposit. */
export function decideInitialPosition(
  state: PortfolioState,
  position: Omit<EmitData<'portfolio.position_opened'>, 'portfolio'>,
  instruments: InstrumentLookup = findInstrument,
): Decision<'portfolio.position_opened'> {
  const instrument = instruments(position.instrument);
  if (instrument === undefined) return refuse('unknown_instrument', `Instrument ${position.instrument} is not known.`);
  if (state.positions[position.instrument] !== undefined) {
    return refuse('position_exists', `Portfolio ${state.portfolio} has a position in ${position.instrument} already.`);
  }
  if (sign(position.quantity) <= 0 || sign(position.price) <= 0) {
    return refuse('invalid_quantity', `An initial position needs a quantity and a price above zero.`);
  }
  if (state.config.accountModel === 'cash') {
    if (position.side === 'short')
      return refuse('short_not_allowed', `Portfolio ${state.portfolio} is a cash account; it cannot be short.`);
    const cost = valueOf(instrument, position.quantity, position.price, state.config.ledgerScale);
    if (cmp(cost, state.cash) > 0) {
      return refuse(
        'insufficient_cash',
        `The initial position costs ${cost}; portfolio ${state.portfolio} has ${state.cash}.`,
        { cost, cash: state.cash },
      );
    }
  }
  return { events: [{ type: 'portfolio.position_opened', data: { portfolio: state.portfolio, ...position } }] };
}

interface HaltRequest {
  source: string;
  scope: 'portfolio' | 'global';
  reason: string;
  detail?: string;
  timestamp: number;
}

/** Adds (source, scope, reason) to the set of halts; no events when it is in it. */
export function decideRaiseHalt(state: PortfolioState, halt: HaltRequest): Decision<'halt.raised'> {
  if (hasHalt(state, halt)) return { events: [] };
  return { events: [{ type: 'halt.raised', data: haltData(state, halt) }] };
}

/** Takes (source, scope, reason) out of the set: a source lifts only its own halt; no events when it is not in it. */
export function decideLiftHalt(state: PortfolioState, halt: HaltRequest): Decision<'halt.lifted'> {
  if (!hasHalt(state, halt)) return { events: [] };
  return { events: [{ type: 'halt.lifted', data: haltData(state, halt) }] };
}

function hasHalt(state: PortfolioState, halt: HaltRequest): boolean {
  return state.halts.some(
    ({ source, scope, reason }) => source === halt.source && scope === halt.scope && reason === halt.reason,
  );
}

function haltData(state: PortfolioState, halt: HaltRequest): EmitData<'halt.raised'> {
  const { source, scope, reason, detail, timestamp } = halt;
  return {
    source,
    scope,
    ...(scope === 'portfolio' && { portfolio: state.portfolio }),
    reason,
    ...(detail !== undefined && { detail }),
    timestamp,
  };
}
