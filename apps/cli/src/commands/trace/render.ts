import type { LogRow } from '@moon/kernel';
import { describe } from '../../output/describe';
import { clock, shortId } from '../../output/text';
import type { Trace, TraceNode } from './cause-tree';

/** A trace as lines: `├─ +0.085 s  trade.executed  …`; ► marks the event that was asked for. */
export function renderTrace(trace: Trace): string[] {
  return trace.roots.flatMap((root) => {
    const { event, seq } = root.row;
    const orphan = event.causationId === null ? '' : `  (its cause ${shortId(event.causationId)} is not in this log)`;
    const first = `${mark(trace, root.row)}${clock(event.occurredAt)}  ${event.type}  ${describe(event)}  [${shortId(event.id)} #${seq}]${orphan}`;
    return [first, ...branches(trace, root, event.occurredAt, '')];
  });
}

function branches(trace: Trace, node: TraceNode, rootAt: number, indent: string): string[] {
  return node.children.flatMap((child, index) => {
    const isLast = index === node.children.length - 1;
    const { event, seq } = child.row;
    const after = `+${(event.occurredAt - rootAt) / 1_000} s`;
    const line = `${indent}${isLast ? '└─' : '├─'} ${mark(trace, child.row)}${after}  ${event.type}  ${describe(event)}  [${shortId(event.id)} #${seq}]`;
    return [line, ...branches(trace, child, rootAt, `${indent}${isLast ? '   ' : '│  '}`)];
  });
}

function mark({ asked }: Trace, row: LogRow): string {
  return row.seq === asked.seq ? '► ' : '';
}

/** The tree as plain data: each event whole, with what it caused below `caused`. */
export function traceJson(trace: Trace, runId: string): string {
  const plain = ({ row, children }: TraceNode): object => ({
    seq: row.seq,
    ...row.event,
    description: describe(row.event),
    caused: children.map(plain),
  });
  return JSON.stringify({
    run: runId,
    asked: trace.asked.event.id,
    correlationId: trace.asked.event.correlationId,
    path: trace.path.map(({ event }) => ({ id: event.id, type: event.type, occurredAt: event.occurredAt })),
    events: trace.events,
    isComplete: trace.isComplete,
    roots: trace.roots.map(plain),
  });
}
