import type { EmitData } from '@moon/events';
import type { Decimal } from '../money';

/** halting → cancelling → closing → verifying → cooling → lifting; any later fill or order leads back to closing. */
export type Stage = 'halting' | 'cancelling' | 'closing' | 'verifying' | 'cooling' | 'lifting';

/** An order that has no end yet. */
export interface OpenOrder {
  token: string;
  instrument: string;
  /** Cumulative quantity filled. */
  filled: Decimal;
  /** A reduce-only order of a force close: it is waited for, never cancelled. */
  isClosing: boolean;
  /** Event time of its request or last fill, ms. */
  lastNewsAt: number;
  /** The saga's attempts to cancel it. */
  cancel: Attempts;
}

export interface OpenPosition {
  token: string;
  /** Signed: long above 0, short below. */
  quantity: Decimal;
}

/** Something that is repeated until the world shows that it worked. */
export interface Attempts {
  /** In a row without progress. */
  tries: number;
  /** Event time in ms from which on the next one may be made. */
  nextAt: number;
}

export interface Closing extends Attempts {
  /** Number of the last `ClosePosition`; never repeats within a saga, so each attempt is an order of its own. */
  attempt: number;
}

/** What a risk.ok must clear before trading is released. */
export interface Violation {
  type: EmitData<'risk.alert'>['violation_type'];
  /** Null = none in particular, or all of them. */
  token: string | null;
  instrument: string | null;
  /** Event time in ms at which it was seen. */
  at: number;
}

/** What a risk.ok said to be over, and when. */
export type Clearance = Violation;

/** One force close from its trigger to its release. */
export interface Saga {
  sagaId: string;
  stage: Stage;
  /** What set it off, in words. */
  reason: string;
  violations: Violation[];
  halting: Attempts;
  /** Up to here closing waits for cancels; null before the halt. */
  cancelUntil: number | null;
  closing: Record<string, Closing>;
  verifying: Attempts;
  lifting: Attempts;
  /** Since when the portfolio has been flat by its own books; null = it is not. */
  flatAt: number | null;
  /** Event time in ms of the first question whether the venue is flat too; older reconciliations do not answer it. */
  askedAt: number;
  /** True from saying 'failed' until something moves again: it says so once. */
  isFailing: boolean;
  /** When its deadline is due; null = none is set. */
  wakeAt: number | null;
}

/** What the saga knows about one portfolio; plain JSON. */
export interface ForceCloseState {
  orders: Record<string, OpenOrder>;
  /** The latest orders that ended, with their filled quantity: late news about them is told from news of a new order. */
  finished: { orderId: string; filled: Decimal }[];
  positions: Record<string, OpenPosition>;
  /** Whether the halt of this saga is in force. */
  isHalted: boolean;
  /** Event time in ms of the latest news about that halt. */
  haltAt: number;
  saga: Saga | null;
  /** The latest clearances, with their event time in ms: danger that is reported late may be over already. */
  clearances: Clearance[];
  /** Ids of the latest events that must not count twice (triggers, halts, initial positions, liquidations). */
  seen: string[];
}

export function initialForceCloseState(): ForceCloseState {
  return { orders: {}, finished: [], positions: {}, isHalted: false, haltAt: 0, saga: null, clearances: [], seen: [] };
}

/** What the state hash sees: orders, positions, halt and stage; no ids of events, no attempts, no retry times (rule 6). */
export function forceCloseHashView({ orders, positions, isHalted, saga }: ForceCloseState): unknown {
  const open = Object.fromEntries(
    Object.entries(orders).map(([orderId, { instrument, filled, isClosing }]) => [
      orderId,
      { instrument, filled, isClosing },
    ]),
  );
  const progress = saga && { stage: saga.stage, violations: saga.violations, flatAt: saga.flatAt };
  return { orders: open, positions, isHalted, saga: progress };
}

export function newSaga(sagaId: string, reason: string, now: number): Saga {
  const attempts = (): Attempts => ({ tries: 0, nextAt: now });
  return {
    sagaId,
    stage: 'halting',
    reason,
    violations: [],
    halting: attempts(),
    cancelUntil: null,
    closing: {},
    verifying: attempts(),
    lifting: attempts(),
    flatAt: null,
    askedAt: now,
    isFailing: false,
    wakeAt: null,
  };
}
