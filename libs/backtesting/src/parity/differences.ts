import { SUPERSEDED, upcast, type AnyEvent, type RawEnvelope } from '@moon/events';
import type { PathDifference } from './report';

/** Envelope fields that are compared beside the data. Headers stand outside (rule 2). */
const FIELDS = ['id', 'type', 'schemaVersion', 'source', 'key', 'occurredAt', 'correlationId', 'causationId'] as const;
const MOST_PATHS = 20;

/** Whether two values are the same JSON: members without a value count as absent, −0 as 0. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const name in left) if (!sameJson(left[name], right[name])) return false;
  for (const name in right) if (right[name] !== undefined && left[name] === undefined) return false;
  return true;
}

/** Whether a recorded event is the one that was emitted again: id, type, key, times, lineage and data. */
export function sameEvent(recorded: AnyEvent, replayed: AnyEvent): boolean {
  for (const field of FIELDS) if (recorded[field] !== replayed[field]) return false;
  return sameJson(recorded.data, replayed.data) || sameInOlderVersion(recorded, replayed);
}

/**
 * A row that was stored under an older schema was upcast on reading, which cannot bring back what the old version did not
 * hold. It is equal when the replayed event, written under that version and read again, is the recorded one.
 */
function sameInOlderVersion(recorded: AnyEvent, replayed: AnyEvent): boolean {
  return SUPERSEDED.some((older) => {
    if (older.type !== replayed.type) return false;
    const known = Object.keys(older.schema.properties);
    const entries = Object.entries(replayed.data).filter(([name]) => known.includes(name));
    const written = { ...plainEvent(replayed), schemaVersion: older.version, data: Object.fromEntries(entries) };
    return sameJson(upcast(written as unknown as RawEnvelope).data, recorded.data);
  });
}

/** The event as plain JSON: one that was emitted may make its id on demand. */
export function plainEvent(event: AnyEvent): AnyEvent {
  const { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data, headers } = event;
  return { id, type, schemaVersion, source, key, occurredAt, correlationId, causationId, data, headers } as AnyEvent;
}

/** Where two events differ, the first twenty places. */
export function eventDifferences(recorded: AnyEvent, replayed: AnyEvent): PathDifference[] {
  const found: PathDifference[] = [];
  for (const field of FIELDS) {
    if (recorded[field] !== replayed[field])
      found.push({ path: field, recorded: recorded[field], replayed: replayed[field] });
  }
  collect(recorded.data, replayed.data, 'data', found);
  return found;
}

/** Where two JSON values differ, the first twenty places. */
export function jsonDifferences(recorded: unknown, replayed: unknown, root: string): PathDifference[] {
  const found: PathDifference[] = [];
  collect(recorded, replayed, root, found);
  return found;
}

function collect(recorded: unknown, replayed: unknown, path: string, found: PathDifference[]): void {
  if (found.length >= MOST_PATHS || sameJson(recorded, replayed)) return;
  const areBoth = isObject(recorded) && isObject(replayed) && Array.isArray(recorded) === Array.isArray(replayed);
  if (!areBoth) {
    found.push({ path, recorded, replayed });
    return;
  }
  const names = new Set([...Object.keys(recorded), ...Object.keys(replayed)]);
  for (const name of names) {
    const place = Array.isArray(recorded) ? `${path}[${name}]` : `${path}.${name}`;
    collect(recorded[name], replayed[name], place, found);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
