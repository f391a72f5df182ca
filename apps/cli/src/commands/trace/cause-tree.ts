import type { LogRow } from '@moon/kernel';
import type { ReadLog } from '../../store/run-log';

/** An event with everything that it caused, in the order of the log. */
export interface TraceNode {
  row: LogRow;
  children: TraceNode[];
}

export interface Trace {
  /** The event that was asked for. */
  asked: LogRow;
  /** From the event asked for up to the root: what caused what. */
  path: LogRow[];
  /** One tree as a rule; more when causes are no longer in the log. */
  roots: TraceNode[];
  events: number;
  /** False when there are more events than were read. */
  isComplete: boolean;
}

const PAGE_ROWS = 1_000;

/**
 * Everything that has the same root as an event, as a tree: causes up to the root, and whatever came of it.
 * All of it carries the root's id as its correlation (architecture: ids), so it is one query.
 *
 * @param most events at most; the earliest ones
 */
export async function traceOf({ events, isPositional }: ReadLog, asked: LogRow, most: number): Promise<Trace> {
  const rows: LogRow[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(PAGE_ROWS, most - rows.length);
    const { correlationId } = asked.event;
    const page = await events.query({ correlationId, limit, ...(cursor !== null && { cursor }) });
    rows.push(...page.rows);
    cursor = page.cursor;
  } while (cursor !== null && rows.length < most);
  rows.push(...(await missingCauses(events, asked, rows)));
  return { asked, ...treeOf(asked, rows, isPositional), events: rows.length, isComplete: cursor === null };
}

/** The event asked for and its causes, as far as they are not among the rows. */
async function missingCauses(events: ReadLog['events'], asked: LogRow, rows: readonly LogRow[]): Promise<LogRow[]> {
  const known = new Set(rows.map(({ event }) => event.id));
  const missing: LogRow[] = [];
  for (let at: LogRow | undefined = asked; at && !known.has(at.event.id);) {
    missing.push(at);
    known.add(at.event.id);
    const { causationId }: LogRow['event'] = at.event;
    at = causationId === null ? undefined : (await events.query({ eventId: causationId, limit: 1 })).rows[0];
  }
  return missing;
}

/**
 * Arranges events by their causes. An event whose cause is not among them is a root.
 *
 * @param isPositional false: siblings come in the order of their times, since positions say nothing of it
 */
export function treeOf(asked: LogRow, rows: readonly LogRow[], isPositional = true): Pick<Trace, 'path' | 'roots'> {
  const nodes = new Map<string, TraceNode>();
  const timeOf = ({ event }: LogRow): number => (isPositional ? 0 : event.occurredAt);
  const ordered = [...rows].sort((a, b) => timeOf(a) - timeOf(b) || a.seq - b.seq);
  for (const row of ordered) nodes.set(row.event.id, { row, children: [] });
  const roots: TraceNode[] = [];
  /** What is known to cause what, so far: no link may close a ring. */
  const causes = new Map<TraceNode, TraceNode>();
  const leadsTo = (from: TraceNode, sought: TraceNode): boolean => {
    for (let at: TraceNode | undefined = from; at; at = causes.get(at)) if (at === sought) return true;
    return false;
  };
  for (const node of nodes.values()) {
    const { causationId } = node.row.event;
    const cause = causationId === null ? undefined : nodes.get(causationId);
    if (cause && !leadsTo(cause, node)) {
      causes.set(node, cause);
      cause.children.push(node);
    } else roots.push(node);
  }
  const path: LogRow[] = [];
  for (let at = nodes.get(asked.event.id); at; at = causes.get(at)) path.push(at.row);
  return { path, roots };
}
