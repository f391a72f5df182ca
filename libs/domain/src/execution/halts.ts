import type { EventEnvelope } from '@moon/events';
import type { LiftHalt, RaiseHalt } from '../handler';
import { INTEGRITY, fold, GLOBAL, liftHalt, raiseHalt, type Owner } from './owner';
import type { GlobalHalt } from './state';

/** Name of the handler that owns portfolios, and so the `source` of what it emits. */
export const EXECUTION = 'execution';
const RECONCILIATION = 'reconciliation';
/** Reasons of the halts of a comparison with the venue: its books say otherwise; they have not been compared yet. */
const BOOKS_DIFFER = 'books_differ';
const NOT_COMPARED_YET = 'not_compared_yet';
const OPERATOR = 'operator';
const CACHE = 'cache';

type Alert = EventEnvelope<'risk.alert'>['data'];

/** A command to halt: of the portfolio, or passed on to the one owner of global halts. */
export function onRaiseHalt(owner: Owner, command: RaiseHalt): void {
  const { state, out } = owner;
  const { source, scope, reason, detail } = command;
  if (scope === 'portfolio') return raiseHalt(owner, { source, reason, ...(detail !== undefined && { detail }) });
  if (out.key !== GLOBAL) return out.send({ ...command, key: GLOBAL });
  if (has(state.globalHalts, command)) return;
  state.globalHalts.push({ source, reason });
  out.emit('halt.raised', { source, scope, reason, ...(detail !== undefined && { detail }), timestamp: out.now });
}

/** A command to lift; it reaches the halt of the same source and reason only. */
export function onLiftHalt(owner: Owner, command: LiftHalt): void {
  const { state, out } = owner;
  const { source, scope, reason } = command;
  if (scope === 'portfolio') return liftHalt(owner, source, reason);
  if (out.key !== GLOBAL) return out.send({ ...command, key: GLOBAL });
  if (!has(state.globalHalts, command)) return;
  state.globalHalts = without(state.globalHalts, command);
  out.emit('halt.lifted', { source, scope, reason, timestamp: out.now });
}

/**
 * Halts a portfolio that is opened while all are halted. Its own shard's global halts are said once more. Of those that
 * another shard keeps, it gets a halt of its own: said here as a global one, it could outlive, or end, the one that counts.
 */
export function repeatGlobalHalts({ state, out }: Owner, portfolio: string): void {
  for (const { source, reason } of state.globalHalts) {
    out.emit('halt.raised', { source, scope: 'global', reason, timestamp: out.now });
  }
  for (const { source, reason } of state.foreignHalts ?? []) {
    out.send({ type: 'RaiseHalt', key: portfolio, source: inherited(source), scope: 'portfolio', reason });
  }
}

/** The owner of global halts takes note of what the owners in other shards say; its own come back to it, too. */
function noteForeignHalt({ state }: Owner, event: EventEnvelope<'halt.raised'> | EventEnvelope<'halt.lifted'>): void {
  const { data } = event;
  if (data.scope !== 'global') return;
  const others = without(state.foreignHalts ?? [], data);
  const isForeign = event.type === 'halt.raised' && !has(state.globalHalts, data);
  state.foreignHalts = isForeign ? [...others, { source: data.source, reason: data.reason }] : others;
}

/** Source of a portfolio's halt that stands for a global one of another shard. */
const inherited = (source: string): string => `global:${source}`;

const has = (halts: readonly GlobalHalt[], { source, reason }: GlobalHalt): boolean =>
  halts.some((halt) => halt.source === source && halt.reason === reason);

const without = (halts: readonly GlobalHalt[], { source, reason }: GlobalHalt): GlobalHalt[] =>
  halts.filter((halt) => halt.source !== source || halt.reason !== reason);

/** Global halts of anyone, and halts of this portfolio that somebody else recorded. Its own are folded already. */
export function onHaltEvent(owner: Owner, event: EventEnvelope<'halt.raised'> | EventEnvelope<'halt.lifted'>): void {
  const { state, out } = owner;
  if (out.key === GLOBAL) return noteForeignHalt(owner, event);
  if (state.portfolio === null) return;
  const isForeign = event.source !== EXECUTION && event.data.portfolio === out.key;
  if (event.data.scope === 'global' || isForeign) fold(state, event);
  if (event.data.scope === 'global' && event.type === 'halt.lifted')
    liftHalt(owner, inherited(event.data.source), event.data.reason);
}

/** An alert that asks for it halts the portfolio, or all of them when the alert's scope is global. */
export function onRiskAlert(owner: Owner, alert: Alert): void {
  if (alert.action_required !== 'halt_trading') return;
  const reason = subject(alert);
  if (alert.scope === 'portfolio') {
    return raiseHalt(owner, { source: riskSource(alert), reason, detail: alert.message });
  }
  const source = globalRiskSource(owner, alert);
  owner.out.send({ type: 'RaiseHalt', key: GLOBAL, source, scope: 'global', reason, detail: alert.message });
}

/** The all-clear lifts exactly what the alert of the same violation raised. */
export function onRiskOk(owner: Owner, ok: EventEnvelope<'risk.ok'>['data']): void {
  for (const cleared of ok.clears) {
    const reason = subject(cleared);
    liftHalt(owner, riskSource(cleared), reason);
    const source = globalRiskSource(owner, cleared);
    const isHalted = owner.state.portfolio?.halts.some((halt) => halt.source === source && halt.reason === reason);
    if (isHalted) owner.out.send({ type: 'LiftHalt', key: GLOBAL, source, scope: 'global', reason });
  }
}

/**
 * Books that differ from the venue's, or that could not be compared with them yet, halt the portfolio (each by a reason of
 * its own) until a later comparison finds them equal; equal books also answer what an impossible report had asked.
 */
export function onReconciled(owner: Owner, event: EventEnvelope<'portfolio.reconciled'>): void {
  fold(owner.state, event);
  const { differences, isCompared = true } = event.data;
  const detail = differences.join('; ');
  if (!isCompared) return raiseHalt(owner, { source: RECONCILIATION, reason: NOT_COMPARED_YET, detail });
  // The new reason is raised first: the portfolio is not open for an instant between the two.
  if (differences.length > 0) raiseHalt(owner, { source: RECONCILIATION, reason: BOOKS_DIFFER, detail });
  liftHalt(owner, RECONCILIATION, NOT_COMPARED_YET);
  if (differences.length === 0) {
    liftHalt(owner, RECONCILIATION, BOOKS_DIFFER);
    const doubts = owner.state.portfolio?.halts.filter(({ source }) => source === INTEGRITY) ?? [];
    for (const doubt of doubts) liftHalt(owner, INTEGRITY, doubt.reason);
  }
}

/** An operator's halt or its lifting: `arguments` {scope, portfolio, reason}. Every portfolio's owner hears of it. */
export function onOperatorCommand(owner: Owner, event: EventEnvelope<'operator.command'>): void {
  const { command, arguments: asked, requestedBy } = event.data;
  if (command !== 'halt' && command !== 'lift') return;
  const isGlobal = asked.scope === 'global';
  if (owner.state.portfolio === null || (!isGlobal && asked.portfolio !== owner.out.key)) return;
  const reason = typeof asked.reason === 'string' && asked.reason !== '' ? asked.reason.slice(0, 200) : OPERATOR;
  const scope = isGlobal ? ('global' as const) : ('portfolio' as const);
  const key = isGlobal ? GLOBAL : owner.out.key;
  // The process itself asks under a source of its own, so that neither lifts what the other raised (rule 18).
  const source = asked.source === CACHE ? CACHE : OPERATOR;
  if (command === 'lift') onLiftHalt(owner, { type: 'LiftHalt', key, source, scope, reason });
  else onRaiseHalt(owner, { type: 'RaiseHalt', key, source, scope, reason, detail: `By ${requestedBy}.` });
}

type Violation = Pick<Alert, 'violation_type' | 'instrument' | 'token'>;

function riskSource({ violation_type }: Violation): string {
  return `risk:${violation_type}`;
}

/** Two portfolios may halt globally for the same violation; neither lifts the other's. */
function globalRiskSource(owner: Owner, violation: Violation): string {
  return `${riskSource(violation)}@${owner.out.key}`;
}

/** What the violation is about; part of the halt's identity, so that BTC's all-clear lifts nothing of ETH. */
function subject({ violation_type, instrument, token }: Violation): string {
  return instrument ?? token ?? violation_type;
}
