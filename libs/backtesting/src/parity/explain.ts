import type { EventStore, LogRow } from '@moon/kernel';
import { plainEvent } from './differences';
import type { Divergence, ExplainedDivergence } from './report';

/** Links of a chain at most. */
const MOST_LINKS = 50;

/** Adds what led to a divergence: the cause, and its causes up to the root. */
export async function explain(store: Pick<EventStore, 'query'>, found: Divergence): Promise<ExplainedDivergence> {
  const causes: LogRow[] = [];
  let id = (found.recorded ?? found.replayed)?.causationId ?? null;
  while (id !== null && causes.length < MOST_LINKS) {
    const { rows } = await store.query({ eventId: id, limit: 1 });
    const row = rows[0];
    // By id, not by position: in the log of many processes a cause may be archived after what came of it.
    if (!row || causes.some(({ event }) => event.id === row.event.id)) break;
    causes.push(row);
    id = row.event.causationId;
  }
  const chain = causes.map(({ seq, event }) => {
    return { seq, id: event.id, type: event.type, key: event.key, occurredAt: event.occurredAt };
  });
  const replayed = found.replayed && plainEvent(found.replayed);
  return { ...found, replayed, cause: causes[0] ?? null, chain };
}
