import type { EventStore, LogRow } from '@moon/kernel';
import type { IsSkipped } from './emissions';

const PAGE_ROWS = 1_000;
/** How an `event.skipped` says that it was not the handler that threw: its thread died, so many times. */
const DIED = /, \d+ times$/;

/** Deliveries that wall time ended: which they are, and whether a recorded `event.skipped` is of that kind. */
export interface Skips {
  isSkipped: IsSkipped;
  count: number;
}

/**
 * Reads which deliveries an agent never came back from. They are inputs, for no replay can make them again; a delivery
 * that threw is none of them, for it throws again.
 */
export async function readSkips(store: EventStore): Promise<Skips> {
  const slots = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await store.query({ types: ['event.skipped'], limit: PAGE_ROWS, cursor });
    for (const row of page.rows) {
      if (row.event.type !== 'event.skipped' || !(await isByWallTime(store, row))) continue;
      const { handler, handlerKey, skippedSeq } = row.event.data;
      slots.add(slot(handler, handlerKey, skippedSeq));
    }
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return { count: slots.size, isSkipped: (handler, key, seq) => slots.size > 0 && slots.has(slot(handler, key, seq)) };
}

async function isByWallTime(store: EventStore, { event }: LogRow): Promise<boolean> {
  if (event.type !== 'event.skipped') return false;
  if (event.data.reason === 'timeout') return true;
  if (!DIED.test(event.data.error)) return false;
  // A handler that throws says so first; of a thread that died nobody does.
  const { rows } = await store.query({
    types: ['agent.error'],
    causationId: event.causationId ?? event.id,
    limit: PAGE_ROWS,
  });
  return !rows.some(({ event: error }) => {
    return (
      error.type === 'agent.error' &&
      error.data.agent === event.data.handler &&
      error.data.handlerKey === event.data.handlerKey
    );
  });
}

function slot(handler: string, key: string, seq: number): string {
  return `${handler}\u0000${key}\u0000${seq}`;
}
