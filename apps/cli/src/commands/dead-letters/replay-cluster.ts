import { replayArguments, type EventStore, type LogRow } from '@moon/kernel';
import type { ClusterView } from '../../cluster/read-log';
import { CommandFailed } from '../../errors';
import { askCluster, untilDone, type Patience } from '../../operator/ask-cluster';
import { shortId } from '../../output/text';
import { readLetters, type Letter } from './letters';

/** Audit streams are one a shard: `audit@agent.chart#1`. */
const AUDIT_OF = 'audit@';
const PAGE_ROWS = 500;

/**
 * Asks the shard that gave an event up, or whose key stands still, to handle it again, and says what came of it.
 * @throws CommandFailed when it is not done, or the handler fails again
 */
export async function replayInCluster(
  view: ClusterView,
  letter: Letter,
  patience: Patience,
): Promise<{ eventId: string; message: string }> {
  const { handler, handlerKey, eventId, eventSeq: seq, kind } = letter;
  const { shard, failure } = await failureOf(view.events, letter);
  const original = kind === 'parked' ? null : await originalOf(view.events, eventId);
  const asked = await askCluster(view, {
    command: 'replay_dead_letter',
    arguments: replayArguments({ shard, handler, handlerKey, eventId, seq, failure }, original),
  });
  const type = kind === 'parked' ? 'key.unparked' : 'event.replayed';
  const missing = (caused: readonly LogRow[]): Promise<string[]> =>
    Promise.resolve(caused.length > 0 ? [] : [AUDIT_OF + shard]);
  await untilDone(view, asked, { type, missing }, patience);
  // A second failure is stored together with what led to it.
  const isThereAgain = (await readLetters(view)).some((one) => isSame(one, letter));
  const where = `${handler}/${handlerKey} of ${shard}`;
  if (isThereAgain)
    throw new CommandFailed(
      `${where} was given ${shortId(eventId)} again and failed again: see "moon dead-letters show ${shortId(eventId)}".`,
    );
  const done = kind === 'parked' ? 'goes on' : `was given ${shortId(eventId)} again and did not fail`;
  return { eventId: asked.id, message: `${where} ${done}. Asked by ${asked.data.requestedBy} as event ${asked.id}.` };
}

const isSame = (a: Letter, b: Letter): boolean =>
  a.kind === b.kind && a.handler === b.handler && a.handlerKey === b.handlerKey && a.eventId === b.eventId;

/** The newest event that says that it was given up, and the shard in whose audit stream it stands. */
async function failureOf(
  events: Pick<EventStore, 'query'>,
  { kind, handler, handlerKey, eventId }: Letter,
): Promise<{ shard: string; failure: string }> {
  const types = [kind === 'parked' ? 'key.parked' : 'event.skipped'];
  let cursor: string | null = null;
  do {
    const query = { types, key: handlerKey, order: 'newest' as const, limit: PAGE_ROWS };
    const page: Awaited<ReturnType<EventStore['query']>> = await events.query({
      ...query,
      ...(cursor !== null && { cursor }),
    });
    for (const { event, streamId } of page.rows) {
      const id =
        event.type === 'key.parked'
          ? event.data.eventId
          : event.type === 'event.skipped'
            ? event.data.skippedEventId
            : null;
      const isIt = id === eventId && (event.data as { handler?: string }).handler === handler;
      if (isIt && streamId?.startsWith(AUDIT_OF)) return { shard: streamId.slice(AUDIT_OF.length), failure: event.id };
    }
    cursor = page.cursor;
  } while (cursor !== null);
  throw new CommandFailed(`The log does not say which shard gave ${shortId(eventId)} up: it cannot be replayed.`);
}

async function originalOf(events: Pick<EventStore, 'query'>, eventId: string) {
  const [row] = (await events.query({ eventId, limit: 1 })).rows;
  if (!row)
    throw new CommandFailed(
      `Event ${eventId} is not in the log: the recorder has not archived it yet, or retention has dropped it. It cannot be replayed.`,
    );
  return row.event;
}
