import type { LogRow } from '@moon/kernel';
import { describe } from './describe';
import { clock, shortId } from './text';

const TYPE_WIDTH = 26;
const KEY_WIDTH = 10;

/** One event as a line: time, position, beginning of its id, type, key, and what it says. */
export function eventLine({ seq, event }: LogRow): string {
  const { id, type, key, occurredAt } = event;
  return `${clock(occurredAt)}  ${String(seq).padStart(8)}  ${shortId(id)}  ${type.padEnd(TYPE_WIDTH)} ${key.padEnd(KEY_WIDTH)} ${describe(event)}`;
}

/** One event as a line of JSON, whole. */
export function eventJson({ seq, event, streamId, version }: LogRow): string {
  return JSON.stringify({ seq, ...(streamId !== undefined && { streamId, version }), ...event });
}
