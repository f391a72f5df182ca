import type { EmitData, EventType } from '@moon/events';

/** A fact that a decision brings about: what goes to `Outbox.emit(type, data)`, and to `evolve` as it is. */
export type Emission<T extends EventType = EventType> = T extends EventType ? { type: T; data: EmitData<T> } : never;

/** What is wrong, for a machine (`code`), for a reader (`message`) and with the values that show it. */
export interface Problem {
  code: string;
  message: string;
  details?: Record<string, string | number | null>;
}

/**
 * The outcome of a decide function.
 *
 * `events` may be empty: a duplicate, or already so. With an `anomaly` the facts are booked because they are true, yet
 * should not have come about: the owner halts the portfolio. `refused` means that nothing was booked; when it answers a
 * report of the venue the owner halts as well, since the books now differ.
 */
export type Decision<T extends EventType = EventType> =
  { events: Emission<T>[]; anomaly?: Problem } | { refused: Problem };

/** Whether a decision booked nothing and says why. */
export function isRefused<T extends EventType>(decision: Decision<T>): decision is { refused: Problem } {
  return 'refused' in decision;
}

/** A refusal with its code, message and values. */
export function refuse(code: string, message: string, details?: Problem['details']): { refused: Problem } {
  return { refused: details === undefined ? { code, message } : { code, message, details } };
}
