import { EVENT_TYPES, isEventType, type EventType } from '@moon/events';
import { nearestName, utcInstant } from '@moon/infra';
import { UsageError } from '../errors';

/** An instant as epoch ms: ISO 8601 in UTC (`2021-05-19`, `2021-05-19T12:00:00Z`) or milliseconds. */
export function parseInstant(text: string, option: string): number {
  const at = utcInstant(text);
  if (at === null) {
    throw new UsageError(
      `${option} "${text}" is no instant; write it as 2021-05-19, 2021-05-19T12:00:00Z or in milliseconds.`,
    );
  }
  return at;
}

export function parseTypes(names: readonly string[]): EventType[] {
  return names.map((name) => {
    if (isEventType(name)) return name;
    const nearest = nearestName(name, EVENT_TYPES);
    const hint = nearest === null ? 'docs/events.md lists them all.' : `Did you mean "${nearest}"?`;
    throw new UsageError(`There is no event type "${name}". ${hint}`);
  });
}

export function parseCount(text: string, option: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option} "${text}" must be a whole number from 1 to ${most}.`);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function parseUuid(text: string, option: string): string {
  const id = text.toLowerCase();
  if (UUID.test(id)) return id;
  throw new UsageError(`${option} "${text}" is no whole id, such as 8c1f6f4e-2a55-5f0e-9a51-0d6f3b8f2d11.`);
}
