import { nearestName } from '@moon/infra';
import { CommandFailed, UsageError } from '../../errors';
import { shortId } from '../../output/text';
import type { ReadLog } from '../../store/run-log';

/** An event that a handler has not handled: skipped by an agent, or where a key of another handler stands still. */
export interface Letter {
  kind: 'skipped' | 'parked';
  handler: string;
  handlerKey: string;
  eventId: string;
  /** Position of the event in the log. */
  eventSeq: number;
  reason: string;
  error: string;
  /** Event time at which it was given up, epoch ms. */
  since: number;
  /** Of skipped ones: position of the event.skipped. */
  skipSeq: number | null;
}

/** Everything that waits for an operator: parked keys first, since they hold up what comes after. */
export async function readLetters({ inspection }: Pick<ReadLog, 'inspection'>): Promise<Letter[]> {
  const parked = await inspection.parkedKeys();
  const skipped = await inspection.deadLetters();
  return [
    ...parked.map(({ parkedAt, error, ...key }): Letter => ({
      kind: 'parked',
      ...key,
      reason: 'error',
      error: error ?? '',
      since: parkedAt,
      skipSeq: null,
    })),
    ...skipped.map(({ skippedAt, ...letter }): Letter => ({ kind: 'skipped', ...letter, since: skippedAt })),
  ];
}

/** The letter of an event, by the beginning of the event's id; of one handler, when several gave the event up. */
export function findLetter(letters: readonly Letter[], id: string, handler: string | undefined): Letter {
  if (letters.length === 0) throw new CommandFailed('There are no dead letters and no parked keys.');
  const byId = letters.filter(({ eventId }) => eventId.startsWith(id.toLowerCase()));
  if (byId.length === 0)
    throw new UsageError(
      `No dead letter has an event id that begins with "${id}". "moon dead-letters list" shows them.`,
    );
  const found = handler === undefined ? byId : byId.filter((letter) => letter.handler === handler);
  if (found.length === 1) return found[0]!;
  const names = byId.map((letter) => `${letter.handler} (${letter.handlerKey}, ${shortId(letter.eventId)})`);
  if (found.length === 0) {
    const nearest = nearestName(
      handler ?? '',
      byId.map((letter) => letter.handler),
    );
    throw new UsageError(
      `"${handler}" did not give up that event. ${nearest === null ? `It was: ${names.join(', ')}.` : `Did you mean "${nearest}"?`}`,
    );
  }
  throw new UsageError(
    `"${id}" fits ${found.length} dead letters: ${names.join(', ')}. Give more digits, or --handler NAME.`,
  );
}
