import type { EventEnvelope } from '@moon/events';

/** One global halt in force; halts are a set of (source, reason) within the scope (rule 18). */
export interface GlobalHalt {
  source: string;
  reason: string;
}

/**
 * Keeps the set of global halts that an agent pauses by. A portfolio's halt is a limit of that portfolio and none of
 * an agent's business; each source lifts only its own halt.
 */
export function applyHalt(
  halts: GlobalHalt[],
  event: EventEnvelope<'halt.raised'> | EventEnvelope<'halt.lifted'>,
): void {
  const { scope, source, reason } = event.data;
  if (scope !== 'global') return;
  const known = halts.findIndex((halt) => halt.source === source && halt.reason === reason);
  if (event.type === 'halt.raised' && known < 0) halts.push({ source, reason });
  if (event.type === 'halt.lifted' && known >= 0) halts.splice(known, 1);
}
