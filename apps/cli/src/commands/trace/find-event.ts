import type { LogRow } from '@moon/kernel';
import { CommandFailed, UsageError } from '../../errors';
import { eventLine } from '../../output/event-line';
import { nameOf, type ReadLog } from '../../store/run-log';

/** Candidates that are shown when an id is not unique. */
const SHOWN = 10;

/**
 * The event that is meant by the beginning of an event's id (the root of a correlation is an event, too) or of an order's
 * id, which stands for the order's request.
 */
export async function findEvent(log: ReadLog, id: string): Promise<LogRow> {
  const digits = id.trim().toLowerCase();
  if (!/^[0-9a-f][0-9a-f-]{0,35}$/.test(digits)) {
    throw new UsageError(`"${id}" is no id: give the id of an event, an order or a correlation, or its first digits.`);
  }
  const byEvent = await log.inspection.eventsByIdPrefix(digits, SHOWN + 1);
  const orders = await log.inspection.streamsByPrefix(`order-${digits}`, SHOWN + 1);
  const byOrder = await Promise.all(orders.map((stream) => firstOf(log, stream)));
  const known = new Set(byEvent.map(({ seq }) => seq));
  const found = [...byEvent, ...byOrder.filter((row) => !known.has(row.seq))];
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new CommandFailed(`${nameOf(log)} has no event and no order whose id begins with "${id}".`);
  const list = found.slice(0, SHOWN).map((row) => `  ${row.event.id}  ${eventLine(row)}`);
  const more = found.length > SHOWN ? '\n  …' : '';
  throw new UsageError(`"${id}" fits more than one id; give more digits:\n${list.join('\n')}${more}`);
}

async function firstOf({ events }: ReadLog, stream: string): Promise<LogRow> {
  for await (const row of events.readStream(stream)) return row;
  throw new CommandFailed(
    `Stream ${stream} is listed, but holds no event: the log is damaged. "moon doctor" looks into it.`,
  );
}
