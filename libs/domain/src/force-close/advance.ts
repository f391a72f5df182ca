import type { EmitData } from '@moon/events';
import type { Outbox } from '../handler';
import { retryDelayMs, type ForceCloseConfig } from './config';
import { HALT_SOURCE } from './fold';
import type { Attempts, Closing, ForceCloseState, OpenOrder, Saga } from './state';

/** The reason of its halts; a halt of another source with this reason asks for a force close. */
export const HALT_REASON = 'force_close';
const LONGEST_REASON = 1_000;
export const WAKE_UP = 'step';

type Report = EmitData<'trade.force_close'>;

/** Everything that a step needs; `state.saga` is `saga`. */
export interface Step {
  config: ForceCloseConfig;
  state: ForceCloseState;
  saga: Saga;
  out: Outbox;
  /** The event's own time in ms, which what is emitted on it carries; `out.now` may be ahead of it. */
  eventAt: number;
}

/**
 * Does whatever the present state calls for, and sets the one deadline at which to look again. It looks at what is,
 * not at what happened last: so an event that comes twice, late or not at all, or a crash between any two events, only
 * changes when the next step is taken. Order of precedence: HALT, cancel, close reduce-only, flat, release.
 */
export function advance(step: Step): void {
  const { state, saga } = step;
  if (!state.isHalted) {
    saga.stage = 'halting';
    saga.flatAt = null;
    raiseHalt(step);
  } else {
    if (saga.stage === 'halting') confirmHalt(step);
    cancelOpenOrders(step);
    if (saga.stage === 'cancelling') waitForCancels(step);
    if (saga.stage !== 'cancelling') closePositions(step);
    if (isFlat(state)) goOnFlat(step);
    else backToClosing(step);
  }
  setWakeUp(step);
}

/** Every order has its end and every position is closed, by our own books. */
export function isFlat(state: ForceCloseState): boolean {
  return isEmpty(state.orders) && isEmpty(state.positions);
}

/** Something moved: the next attempt need not wait, and a failure may be said anew. */
export function noteProgress({ saga, out }: Step, instrument: string): void {
  const closing = saga.closing[instrument];
  if (closing) {
    closing.tries = 0;
    closing.nextAt = out.now;
  }
  saga.isFailing = false;
}

/** A closing order ended with nothing filled: the next attempt waits, the longer the more of them there were. */
export function noteFruitless(step: Step, instrument: string): void {
  const { config, saga, out } = step;
  const closing = saga.closing[instrument];
  if (!closing) return;
  closing.nextAt = out.now + retryDelayMs(config, closing.tries);
  if (closing.tries >= config.maxAttempts)
    sayFailed(step, `${closing.tries} attempts to close ${instrument} had no effect`);
}

/** The venue's books differ from ours, or nobody could tell: flat is not yet proven. */
export function noteUnverified(step: Step, why: string): void {
  const { config, saga, out } = step;
  report(step, 'retrying', `Not flat at the venue: ${why}`);
  saga.verifying.nextAt = out.now + retryDelayMs(config, saga.verifying.tries);
}

export function report(
  { saga, out }: Pick<Step, 'saga' | 'out'>,
  stage: Report['stage'],
  reason: string,
  where: Pick<Report, 'token' | 'instrument'> = {},
): void {
  out.emit('trade.force_close', {
    portfolio: out.key,
    sagaId: saga.sagaId,
    stage,
    ...where,
    reason: cut(reason),
    timestamp: out.now,
  });
}

function cut(text: string): string {
  return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON - 1)}…` : text;
}

function raiseHalt(step: Step): void {
  const { saga, out } = step;
  if (!attempt(step, saga.halting, 'The halt is not confirmed')) return;
  const { reason } = saga;
  out.send({
    type: 'RaiseHalt',
    key: out.key,
    source: HALT_SOURCE,
    scope: 'portfolio',
    reason: HALT_REASON,
    detail: cut(reason),
  });
}

function confirmHalt(step: Step): void {
  const { config, state, saga, out } = step;
  saga.stage = 'cancelling';
  saga.cancelUntil ??= out.now + config.cancelWaitMs;
  saga.halting = { tries: 0, nextAt: out.now };
  report(step, 'halted', 'Trading of the portfolio is halted; only reduce-only orders pass');
  const count = toCancel(state).length;
  if (count > 0) report(step, 'cancelling', `${count} open orders are to be cancelled`);
}

function cancelOpenOrders(step: Step): void {
  for (const [orderId, order] of toCancel(step.state)) {
    if (!attempt(step, order.cancel, `Order ${orderId} cannot be cancelled`)) continue;
    step.out.send({ type: 'CancelOrder', key: step.out.key, orderId, reason: HALT_REASON });
  }
}

function waitForCancels({ state, saga, out }: Step): void {
  const isOver = saga.cancelUntil !== null && out.now >= saga.cancelUntil;
  if (isOver || toCancel(state).length === 0) saga.stage = 'closing';
}

function closePositions(step: Step): void {
  const { state, saga, out } = step;
  for (const [instrument, { token }] of sortedEntries(state.positions)) {
    const inFlight = closingOrder(state, instrument);
    if (inFlight) {
      if (out.now >= inFlight.lastNewsAt + step.config.stuckMs)
        sayFailed(step, `The closing order in ${instrument} has had no end for ${out.now - inFlight.lastNewsAt} ms`);
      continue;
    }
    const closing = (saga.closing[instrument] ??= { attempt: 0, tries: 0, nextAt: out.now });
    if (attempt(step, closing, `${instrument} cannot be closed`)) sendClose(step, closing, { token, instrument });
  }
}

function sendClose(step: Step, closing: Closing, where: { token: string; instrument: string }): void {
  const { saga, out } = step;
  closing.attempt += 1;
  const isFirst = closing.attempt === 1;
  report(
    step,
    isFirst ? 'closing' : 'retrying',
    `Close ${where.instrument} reduce-only, attempt ${closing.attempt}`,
    where,
  );
  out.send({
    type: 'ClosePosition',
    key: out.key,
    portfolio: out.key,
    instrument: where.instrument,
    origin: 'force_close',
    priority: 'force_close',
    reason: HALT_REASON,
    sagaId: saga.sagaId,
    attempt: closing.attempt,
  });
}

function goOnFlat(step: Step): void {
  const { config, saga, out } = step;
  if (saga.flatAt === null) {
    saga.flatAt = out.now;
    saga.askedAt = step.eventAt;
    saga.stage = 'verifying';
    saga.isFailing = false;
    saga.verifying = { tries: 0, nextAt: out.now };
  }
  if (saga.stage === 'verifying') {
    if (attempt(step, saga.verifying, 'The venue did not confirm that the portfolio is flat'))
      report(step, 'flat', 'Flat by our own books; the venue is to confirm it');
    return;
  }
  if (saga.stage === 'cooling' && saga.violations.length === 0 && out.now >= saga.flatAt + config.cooldownMs) {
    saga.stage = 'lifting';
    saga.lifting = { tries: 0, nextAt: out.now };
  }
  if (saga.stage === 'lifting' && attempt(step, saga.lifting, 'The halt cannot be lifted'))
    out.send({ type: 'LiftHalt', key: out.key, source: HALT_SOURCE, scope: 'portfolio', reason: HALT_REASON });
}

/** A late fill or order showed up after all. */
function backToClosing(step: Step): void {
  const { saga } = step;
  if (saga.flatAt === null) return;
  saga.flatAt = null;
  saga.stage = 'closing';
  report(step, 'retrying', 'No longer flat: a late fill or order arrived');
}

/** Whether the next attempt is due; counts it, and says so when too many in a row had no effect. */
function attempt(step: Step, attempts: Attempts, failure: string): boolean {
  const { config, out } = step;
  if (out.now < attempts.nextAt) return false;
  if (attempts.tries >= config.maxAttempts) sayFailed(step, `${failure} (${attempts.tries} attempts)`);
  attempts.tries += 1;
  attempts.nextAt = out.now + retryDelayMs(config, attempts.tries);
  return true;
}

/** Says once, until something moves again, that the force close failed. The halt stays and the attempts go on, slowly. */
function sayFailed(step: Step, reason: string): void {
  if (step.saga.isFailing) return;
  step.saga.isFailing = true;
  report(step, 'failed', `${reason}; the portfolio stays halted, attempts go on every ${step.config.slowRetryMs} ms`);
}

function setWakeUp(step: Step): void {
  const { saga, out } = step;
  const next = Math.min(...wakeTimes(step));
  const at = Number.isFinite(next) ? next : null;
  if (at === saga.wakeAt) return;
  saga.wakeAt = at;
  if (at === null) out.cancel(WAKE_UP);
  else out.schedule(WAKE_UP, at, { sagaId: saga.sagaId });
}

/** When to look again if no event comes before. */
function wakeTimes({ config, state, saga, out }: Step): number[] {
  if (saga.stage === 'halting') return [saga.halting.nextAt];
  const cancels = toCancel(state).map(([, order]) => order.cancel.nextAt);
  if (saga.stage === 'cancelling') return [...cancels, saga.cancelUntil ?? out.now];
  if (saga.stage === 'verifying') return [saga.verifying.nextAt];
  if (saga.stage === 'lifting') return [saga.lifting.nextAt];
  if (saga.stage === 'cooling') {
    const releaseAt = (saga.flatAt ?? out.now) + config.cooldownMs;
    return releaseAt > out.now ? [releaseAt] : [];
  }
  const closings = Object.keys(state.positions).flatMap((instrument) => {
    const inFlight = closingOrder(state, instrument);
    if (!inFlight) return [saga.closing[instrument]?.nextAt ?? out.now];
    const stuckAt = inFlight.lastNewsAt + config.stuckMs;
    return stuckAt > out.now ? [stuckAt] : [];
  });
  return [...cancels, ...closings];
}

/** Orders that must go: all but closing orders that still have something to close. */
function toCancel({ orders, positions }: ForceCloseState): [string, OpenOrder][] {
  return sortedEntries(orders).filter(([, order]) => !order.isClosing || !(order.instrument in positions));
}

function closingOrder(state: ForceCloseState, instrument: string): OpenOrder | undefined {
  return Object.values(state.orders).find((order) => order.isClosing && order.instrument === instrument);
}

/** Entries by key: a store may hand a state back with its keys in another order, and that must change nothing. */
function sortedEntries<T>(record: Record<string, T>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
