import type { AnyEvent, EventEnvelope } from '@moon/events';
import { completeConfig, isWarmup, type PartialConfig } from '../agent-kit';
import type { AnyCommand, Handler } from '../handler';
import { findInstrument } from '../instruments';
import { evolvePortfolio } from '../portfolio';
import { createPriceBook, foldPrice, resolveLimits } from '../risk';
import { executionConfigSchema, type ExecutionConfig } from './config';
import {
  EXECUTION,
  onHaltEvent,
  onLiftHalt,
  onOperatorCommand,
  onRaiseHalt,
  onReconciled,
  onRiskAlert,
  onRiskOk,
  repeatGlobalHalts,
} from './halts';
import { fold, GLOBAL, revalue, type Owner } from './owner';
import { cancelOrder, closePosition, placeOrder } from './place-order';
import { routeApproval, routeSignal } from './routing';
import { executionHashView, newExecutionState, type ExecutionState } from './state';
import { onSenderNews, onVenueReport, onWithheld } from './venue-reports';

/**
 * The owner of portfolios and their orders, one state for each portfolio: routes approvals, decides every order by the
 * limits, books what the venue reports, and keeps the portfolio's halts. One more state, under the key 'global', keeps
 * the global halts.
 *
 * What it emits it folds in the same moment, so that the next command of the same instant sees the reservation
 * (rule 16); those events come back through the queue to everybody else, and it does not consume them a second time.
 * Events of these types that others wrote (a bootstrap, the sender) are folded when they arrive.
 */
export function createExecution(given: PartialConfig<ExecutionConfig> = {}): Handler<ExecutionState> {
  const config = completeConfig('execution', executionConfigSchema, given);
  return {
    name: EXECUTION,
    role: 'aggregate',
    partitionedBy: 'portfolio',
    durable: true,
    consumes: [
      'portfolio.opened',
      'portfolio.deposited',
      'portfolio.withdrawn',
      'portfolio.position_opened',
      'portfolio.reconciled',
      'order.submitted',
      'order.outcome_unknown',
      'order.withheld',
      'venue.report',
      'risk.alert',
      'risk.ok',
    ],
    broadcast: [
      'portfolio.opened',
      'price.tick',
      'bar.opened',
      'bar.closed',
      'trade.consensus_approved',
      'signal.generated',
      'halt.raised',
      'halt.lifted',
      'operator.command',
    ],
    sharedKeys: [GLOBAL],
    commands: ['PlaceOrder', 'CancelOrder', 'RaiseHalt', 'LiftHalt', 'ClosePosition'],
    initialState: newExecutionState,
    handle: (event, state, out) => handle(event, { config, state, out }),
    execute: (command, state, out) => execute(command, { config, state, out }),
    hashView: executionHashView,
  };
}

function handle(event: AnyEvent, owner: Owner): void {
  switch (event.type) {
    case 'price.tick':
    case 'bar.opened':
    case 'bar.closed':
      return onPrice(owner, event);
    case 'trade.consensus_approved':
      return isWarmup(event) ? undefined : routeApproval(owner, event);
    case 'signal.generated':
      return isWarmup(event) ? undefined : routeSignal(owner, event);
    case 'venue.report':
      return onVenueReport(owner, event);
    case 'order.submitted':
    case 'order.outcome_unknown':
      return onSenderNews(owner, event);
    case 'order.withheld':
      return onWithheld(owner, event);
    case 'risk.alert':
      return onRiskAlert(owner, event.data);
    case 'risk.ok':
      return onRiskOk(owner, event.data);
    case 'halt.raised':
    case 'halt.lifted':
      return onHaltEvent(owner, event);
    case 'operator.command':
      return onOperatorCommand(owner, event);
    case 'portfolio.opened':
      return onOpened(owner, event);
    case 'portfolio.reconciled':
      return onReconciled(owner, event);
    case 'portfolio.deposited':
    case 'portfolio.withdrawn':
    case 'portfolio.position_opened':
      fold(owner.state, event);
      return revalue(owner);
    default:
      return;
  }
}

function execute(command: AnyCommand, owner: Owner): void {
  switch (command.type) {
    case 'PlaceOrder':
      return placeOrder(owner, command);
    case 'CancelOrder':
      return cancelOrder(owner, command);
    case 'RaiseHalt':
      return onRaiseHalt(owner, command);
    case 'LiftHalt':
      return onLiftHalt(owner, command);
    case 'ClosePosition':
      return closePosition(owner, command);
  }
}

function onOpened(owner: Owner, event: EventEnvelope<'portfolio.opened'>): void {
  const { config, state, out } = owner;
  if (out.key === GLOBAL) return repeatGlobalHalts(owner, event.data.portfolio);
  if (event.data.portfolio !== out.key || state.portfolio !== null) return;
  state.bounds = resolveLimits(out.key, config.limits, event.data.limits);
  state.portfolio = evolvePortfolio(undefined, event);
  state.prices = createPriceBook(event.data.instruments);
  state.routes = event.data.instruments.flatMap(({ instrument, priceSource }) => {
    const token = findInstrument(instrument)?.token;
    return token === undefined ? [] : [{ token, instrument, priceSource }];
  });
}

function onPrice(owner: Owner, event: AnyEvent): void {
  const { portfolio, prices } = owner.state;
  if (portfolio === null) return;
  const priced = foldPrice(prices, event);
  if (isWarmup(event)) return;
  for (const instrument of priced) if (portfolio.positions[instrument] !== undefined) return revalue(owner);
}
