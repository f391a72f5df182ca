import type { EventQuery, LogRow } from '@moon/kernel';
import { parseInstant, parseTypes, parseUuid } from '../parse';

/** What the user asked for, as text. */
export interface EventOptions {
  type?: string[];
  token?: string;
  portfolio?: string;
  from?: string;
  to?: string;
  correlation?: string;
}

export type EventFilter = Pick<EventQuery, 'types' | 'token' | 'key' | 'from' | 'to' | 'correlationId'>;

/** @throws UsageError that names the option that cannot be understood */
export function eventFilter(options: EventOptions): EventFilter {
  const { type, token, portfolio, from, to, correlation } = options;
  return {
    ...(type !== undefined && { types: parseTypes(type) }),
    ...(token !== undefined && { token: token.toUpperCase() }),
    // Events that change a portfolio are keyed by it.
    ...(portfolio !== undefined && { key: portfolio }),
    ...(from !== undefined && { from: parseInstant(from, '--from') }),
    ...(to !== undefined && { to: parseInstant(to, '--to') }),
    ...(correlation !== undefined && { correlationId: parseUuid(correlation, '--correlation') }),
  };
}

/** The same filter for rows that come in one after the other. */
export function matches(filter: EventFilter, { event }: LogRow): boolean {
  const { types, token, key, from, to, correlationId } = filter;
  if (types !== undefined && !types.includes(event.type)) return false;
  if (token !== undefined && (event.data as { token?: string }).token !== token) return false;
  if (key !== undefined && event.key !== key) return false;
  if (from !== undefined && event.occurredAt < from) return false;
  if (to !== undefined && event.occurredAt >= to) return false;
  return correlationId === undefined || event.correlationId === correlationId;
}
