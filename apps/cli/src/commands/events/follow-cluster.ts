import type { LogRow } from '@moon/kernel';
import type { Io } from '../../io';
import type { ReadLog } from '../../store/run-log';
import { pause } from '../../store/store';
import { matches, type EventFilter } from './event-filter';
import { listEvents } from './list-events';

const POLL_MS = 500;
/** Positions below the last one in which rows may still turn up: they are given before a row is committed. */
const UNSETTLED = 2_000;

export interface FollowClusterOptions {
  filter: EventFilter;
  /** Events of the past that are shown first. */
  limit: number;
  show: (row: LogRow) => void;
}

/** Shows the newest events of a deployment, and then every new one as it is stored, until the user ends it. */
export async function followCluster(io: Io, { events }: ReadLog, options: FollowClusterOptions): Promise<void> {
  const { filter, limit, show } = options;
  const start = await events.lastSeq();
  const { rows } = await listEvents(events, { filter, limit, end: 'newest' });
  for (const row of rows) if (row.seq <= start) show(row);
  /** Rows that have been seen; those of before the start count as shown. */
  const seen = new Set<number>();
  for await (const { seq } of events.readLog(Math.max(0, start - UNSETTLED))) if (seq <= start) seen.add(seq);
  let last = start;
  while (!io.signal.aborted) {
    for await (const row of events.readLog(Math.max(0, last - UNSETTLED))) {
      if (seen.has(row.seq)) continue;
      seen.add(row.seq);
      last = Math.max(last, row.seq);
      if (matches(filter, row)) show(row);
      if (io.signal.aborted) break;
    }
    for (const seq of seen) if (seq < last - 2 * UNSETTLED) seen.delete(seq);
    await pause(POLL_MS);
  }
}
