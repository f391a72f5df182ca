import { derivedId, type AnyEvent, type EventEnvelope } from '@moon/events';
import { completeConfig, isWarmup, type PartialConfig } from '../agent-kit';
import type { Handler, Outbox } from '../handler';
import {
  advance,
  isFlat,
  noteFruitless,
  noteProgress,
  noteUnverified,
  report,
  HALT_REASON,
  WAKE_UP,
  type Step,
} from './advance';
import { forceCloseConfigSchema, type ForceCloseConfig } from './config';
import { foldEvent, HALT_SOURCE, isFirst } from './fold';
import {
  forceCloseHashView,
  initialForceCloseState,
  newSaga,
  type Clearance,
  type ForceCloseState,
  type Violation,
} from './state';

const NAME = 'saga/force-close';
const REMEMBERED_CLEARANCES = 64;

/** What sets a force close off. */
interface Trigger {
  reason: string;
  where: { token?: string; instrument?: string };
  /** What a risk.ok must clear before release; null when there is nothing that could be cleared. */
  violation: Violation | null;
}

/**
 * The force-close saga: brings one portfolio out of danger, whatever comes in between (RSK-2, RSK-5; rules 18–21).
 *
 * It starts on `risk.critical`, on a `risk.alert` that asks to close positions, on `portfolio.liquidated`, and when somebody
 * else (an operator) halts the portfolio with the reason `force_close`; one runs per portfolio at a time, and a further trigger only adds to what a `risk.ok` must clear. Then:
 *
 * 1. HALT. Nothing else is asked for until `halt.raised` says that it is in force. Lifted by another hand too early, it
 *    is raised again.
 * 2. Every open order is cancelled. Closing waits for their ends, for `cancelWaitMs` at most.
 * 3. Every position is closed by `ClosePosition`: the owner decides side and quantity from its own books, reduce-only, so
 *    a doubled or late command never closes more than there is. While a closing order has no end, an unknown outcome
 *    included, no other is asked for; one that ends without closing all is followed by the next attempt: at once when it
 *    filled something, else after a wait that doubles.
 * 4. Flat (every order has its end, every position is zero) is to be confirmed by the venue's books: stage `flat` asks
 *    the execution app, an empty `portfolio.reconciled` answers.
 * 5. Trading is released when the cool-down since being flat is over and `risk.ok` has cleared every violation.
 *
 * After `maxAttempts` attempts in a row without effect it says `failed`, once, stays halted and goes on every
 * `slowRetryMs`: giving up would leave a position in danger that nobody watches. Every stage is a `trade.force_close`.
 */
export function createForceCloseSaga(given: PartialConfig<ForceCloseConfig> = {}): Handler<ForceCloseState> {
  const config = completeConfig(NAME, forceCloseConfigSchema, given);
  return {
    name: NAME,
    role: 'saga',
    partitionedBy: 'portfolio',
    consumes: [
      'risk.critical',
      'risk.alert',
      'risk.ok',
      'order.requested',
      'trade.executed',
      'trade.rejected',
      'trade.cancelled',
      'trade.expired',
      'portfolio.position_opened',
      'portfolio.liquidated',
      'portfolio.reconciled',
      'halt.raised',
      'halt.lifted',
    ],
    durable: true,
    initialState: initialForceCloseState,
    hashView: forceCloseHashView,
    handle(event: AnyEvent, state: ForceCloseState, out: Outbox): void {
      if (isWarmup(event)) return;
      const wasHalted = state.isHalted;
      const change = foldEvent(event, state, out.now);
      if (event.type === 'risk.ok') clear(state, event);
      const trigger = triggerOf(event);
      if (trigger !== null && isFirst(state, `trigger/${event.id}`)) pull(trigger, event.id, state, out);
      const { saga } = state;
      if (saga === null) return;
      const step: Step = { config, state, saga, out, eventAt: event.occurredAt };
      if (change.filled !== undefined) noteProgress(step, change.filled);
      if (change.fruitless !== undefined) noteFruitless(step, change.fruitless);
      if (event.type === 'deadline.reached' && event.data.dueAt === saga.wakeAt) saga.wakeAt = null;
      if (event.type === 'portfolio.reconciled') reconciled(step, event);
      if (wasHalted && !state.isHalted && saga.stage === 'lifting' && isFlat(state)) release(step);
      else advance(step);
    },
  };
}

/** Starts a saga, or adds to the one that runs what must be cleared; being flat is then to be proven anew. */
function pull(trigger: Trigger, eventId: string, state: ForceCloseState, out: Outbox): void {
  const { reason, violation, where } = trigger;
  if (state.saga === null) {
    const saga = newSaga(derivedId(eventId, `${NAME}/saga`, 0), reason, out.now);
    state.saga = saga;
    report({ saga, out }, 'started', reason, where);
  } else if (state.saga.flatAt !== null) {
    state.saga.flatAt = null;
    state.saga.stage = 'closing';
    report({ saga: state.saga, out }, 'retrying', `A further trigger came: ${reason}`, where);
  }
  if (violation === null) return;
  // What arrives after its own all-clear is over already; at the same instant the danger may be a new one.
  if (state.clearances.some((clearance) => covers(clearance, violation) && clearance.at > violation.at)) return;
  const known = state.saga.violations.find((one) => isSame(one, violation));
  if (known) known.at = Math.max(known.at, violation.at);
  else state.saga.violations.push(violation);
}

function triggerOf(event: AnyEvent): Trigger | null {
  const at = event.occurredAt;
  if (event.type === 'risk.critical') {
    const { token, instrument, violation_type, message } = event.data;
    return {
      reason: message,
      where: { token, instrument },
      violation: { type: violation_type, token, instrument, at },
    };
  }
  if (event.type === 'risk.alert' && event.data.action_required === 'close_positions') {
    const { token, instrument, violation_type, message } = event.data;
    const violation = { type: violation_type, token: token ?? null, instrument: instrument ?? null, at };
    const where = { ...(token !== undefined && { token }), ...(instrument !== undefined && { instrument }) };
    return { reason: message, where, violation };
  }
  if (event.type === 'halt.raised' && event.data.scope === 'portfolio') {
    const { source, reason } = event.data;
    if (source === HALT_SOURCE || reason !== HALT_REASON) return null;
    return { reason: `${source} asked for a force close`, where: {}, violation: null };
  }
  if (event.type === 'portfolio.liquidated') {
    const { token, instrument, quantity } = event.data;
    return {
      reason: `The venue liquidated ${quantity} of ${instrument}`,
      where: { token, instrument },
      violation: null,
    };
  }
  return null;
}

function reconciled(step: Step, event: EventEnvelope<'portfolio.reconciled'>): void {
  const { saga } = step;
  // A reconciliation from before the first question says nothing about now.
  if (saga.stage !== 'verifying' || event.occurredAt < saga.askedAt) return;
  const { differences } = event.data;
  if (differences.length === 0) saga.stage = 'cooling';
  else noteUnverified(step, differences.join('; '));
}

/** Remembers what a risk.ok clears, and drops it from what the release waits for. */
function clear(state: ForceCloseState, event: EventEnvelope<'risk.ok'>): void {
  const clearances = event.data.clears.map(({ violation_type: type, token, instrument }) => {
    return { type, token: token ?? null, instrument: instrument ?? null, at: event.data.timestamp };
  });
  state.clearances.push(...clearances);
  state.clearances.splice(0, Math.max(0, state.clearances.length - REMEMBERED_CLEARANCES));
  const { saga } = state;
  if (saga === null) return;
  saga.violations = saga.violations.filter(
    (violation) => !clearances.some((one) => covers(one, violation) && one.at >= violation.at),
  );
}

/** Whether a clearance is about a violation; without instrument or token it is about all of them. */
function covers(clearance: Clearance, violation: Violation): boolean {
  const fits = (cleared: string | null, found: string | null): boolean =>
    cleared === null || found === null || cleared === found;
  return (
    clearance.type === violation.type &&
    fits(clearance.instrument, violation.instrument) &&
    fits(clearance.token, violation.token)
  );
}

function release({ state, saga, out }: Step): void {
  report({ saga, out }, 'released', 'Flat at the venue, risk cleared, cool-down over');
  if (saga.wakeAt !== null) out.cancel(WAKE_UP);
  state.saga = null;
}

function isSame(a: Violation, b: Violation): boolean {
  return a.type === b.type && a.token === b.token && a.instrument === b.instrument;
}
