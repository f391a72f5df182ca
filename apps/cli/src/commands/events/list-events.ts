import type { EventStore, LogRow } from '@moon/kernel';
import type { EventFilter } from './event-filter';

/** Rows that one query asks the store for. */
const PAGE_ROWS = 1_000;

export interface EventsWanted {
  filter: EventFilter;
  limit: number;
  /** `newest`: the last ones of the log. Either way they are given in the order of time. */
  end: 'oldest' | 'newest';
  /** Where the page before ended; for `oldest` only. */
  after?: string;
}

export interface EventsFound {
  rows: LogRow[];
  /** Leads to the rows behind these (`oldest`) or before them (`newest`); null when these are all. */
  cursor: string | null;
}

/** Events of a log, read page by page, each page from where the one before ended. */
export async function listEvents(store: Pick<EventStore, 'query'>, wanted: EventsWanted): Promise<EventsFound> {
  const rows: LogRow[] = [];
  let cursor: string | null = wanted.after ?? null;
  do {
    const limit = Math.min(PAGE_ROWS, wanted.limit - rows.length);
    const page = await store.query({ ...wanted.filter, order: wanted.end, limit, ...(cursor !== null && { cursor }) });
    rows.push(...page.rows);
    cursor = page.cursor;
  } while (cursor !== null && rows.length < wanted.limit);
  if (wanted.end === 'newest') rows.reverse();
  return { rows, cursor };
}
