import { derivedId, validateData, type AnyEvent, type EmitData } from '@moon/events';
import { driveHandler, testEvent, type Driven } from '../handler';
import type { ConsensusConfig } from './config';
import { createConsensusSaga } from './consensus';
import type { ConsensusState } from './state';

export const TOKEN = 'BTC';
/** 2024-10-26T16:40:00Z */
export const T0 = 1_729_960_800_000;

export type SignalFields = Partial<EmitData<'signal.generated'>> & { agent: string };

/** A signal `at` ms after T0; BUY 80 with confidence 0.9 unless told otherwise. */
export function signal(at: number, fields: SignalFields): AnyEvent {
  const data = { token: TOKEN, action: 'BUY' as const, score: 80, confidence: 0.9, reason: 'spec', timestamp: T0 + at };
  return testEvent('signal.generated', T0 + at, { ...data, ...fields }, { key: fields.token ?? TOKEN });
}

/** The id of the window that an event opens. */
export function windowOf(opening: AnyEvent): string {
  return derivedId(opening.id, 'saga/consensus/window', 0);
}

export function halt(
  type: 'halt.raised' | 'halt.lifted',
  at: number,
  scope: 'global' | 'portfolio' = 'global',
): AnyEvent {
  const where = scope === 'portfolio' ? { portfolio: 'main' } : {};
  const data = { source: 'agent/risk', scope, reason: 'leverage', timestamp: T0 + at, ...where };
  return testEvent(type, T0 + at, data, { key: scope === 'global' ? 'global' : 'main' });
}

type Outcome = EmitData<'trade.consensus_approved'> | EmitData<'signal.consensus_failed'>;

export interface Played extends Driven<ConsensusState> {
  opened: EmitData<'consensus.opened'>[];
  approved: EmitData<'trade.consensus_approved'>[];
  failed: EmitData<'signal.consensus_failed'>[];
  outcomes: Outcome[];
}

/** Drives the saga through events, up to `until` ms after T0, and validates whatever it emits. */
export function play(
  events: readonly AnyEvent[],
  options: { config?: Partial<ConsensusConfig>; until?: number; state?: ConsensusState } = {},
): Played {
  const { config = {}, until = 3_600_000, state } = options;
  const saga = createConsensusSaga(config);
  const states = { [TOKEN]: state ?? saga.initialState(TOKEN) };
  const driven = driveHandler(saga, events, { until: T0 + until, states });
  for (const { type, data } of driven.emitted) validateData(type, { event_type: type, ...data });
  const approved = driven.of('trade.consensus_approved');
  const failed = driven.of('signal.consensus_failed');
  const opened = driven.of('consensus.opened');
  return { ...driven, opened, approved, failed, outcomes: [...approved, ...failed] };
}
