import { isDeepStrictEqual } from 'node:util';
import { EventRefused, TOPICS, upcast, validateEvent } from '@moon/events';
import type { AnyEvent, RawEnvelope, TopicName } from '@moon/events';
import type { BusPosition } from '../ports/bus';
import type { CheckpointEntry } from '../ports/event-store';
import type { JournalBatch, JournalEntry, ShardCheckpoint, StoredCheckpoint } from '../ports/journal';

/** A batch of a journal that this version cannot read. Nothing can be recovered past it, so it is never passed over. */
export class JournalUnreadable extends Error {
  override readonly name = 'JournalUnreadable';
  constructor(
    readonly shard: string,
    readonly afterSeq: number,
    problem: string,
  ) {
    super(
      `Journal of shard ${shard}, batch after ${afterSeq}: ${problem}. ` +
        'Start the version that wrote it, or restore the journal from a backup; the shard stays down until then.',
    );
  }
}

/** A problem of one stored value, told to whoever knows where it stood. */
class Unreadable extends Error {}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Unreadable(`${what} is no object`);
}

function listOf(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new Unreadable(`${what} is no list`);
}

function countOf(value: unknown, what: string, least = 0): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw new Unreadable(`${what} is ${String(value).slice(0, 40)}, not a whole number of at least ${least}`);
}

function topicOf(value: unknown, what: string): TopicName {
  if (typeof value === 'string' && Object.prototype.hasOwnProperty.call(TOPICS, value)) return value as TopicName;
  throw new Unreadable(`${what} is "${String(value).slice(0, 40)}", which is no topic of the catalog`);
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unreadable(`${what} is no JSON (${(error as Error).message})`);
  }
}

function eventOf(value: unknown, what: string): AnyEvent {
  try {
    return validateEvent(upcast(fieldsOf(value, what) as unknown as RawEnvelope));
  } catch (error) {
    if (error instanceof EventRefused) throw new Unreadable(`${what}: ${error.message.replaceAll(/\.$/g, '')}`);
    throw error;
  }
}

function entryOf(value: unknown, what: string): JournalEntry {
  const fields = fieldsOf(value, what);
  if (fields.kind === 'input') return { kind: 'input', event: eventOf(fields.event, `${what}.event`) };
  if (fields.kind !== 'messages') {
    throw new Unreadable(
      `${what} is of the kind "${String(fields.kind).slice(0, 40)}", which this version does not know`,
    );
  }
  return {
    kind: 'messages',
    topic: topicOf(fields.topic, `${what}.topic`),
    partition: countOf(fields.partition, `${what}.partition`),
    from: countOf(fields.from, `${what}.from`),
    count: countOf(fields.count, `${what}.count`, 1),
  };
}

/** A batch with its entries as they are stored: JSON text. */
export type StoredBatch = Omit<JournalBatch, 'entries'> & { entries: string };

export const entriesText = (entries: readonly JournalEntry[]): string => JSON.stringify(entries);

/** @throws JournalUnreadable what is wrong, of which batch, and what to do */
export function batchOf(shard: string, { entries: text, ...rest }: StoredBatch): JournalBatch {
  try {
    const entries = listOf(parsed(text, 'the text'), 'the text');
    return { ...rest, entries: entries.map((entry, index) => entryOf(entry, `entry ${index + 1}`)) };
  } catch (error) {
    if (error instanceof Unreadable) throw new JournalUnreadable(shard, rest.afterSeq, error.message);
    throw error;
  }
}

export const checkpointTexts = ({ seq, entries, meta, positions, ids }: ShardCheckpoint): StoredCheckpoint => ({
  seq,
  states: JSON.stringify(entries),
  meta: JSON.stringify(meta),
  positions: JSON.stringify(positions),
  ids,
});

/** The checkpoint, or in one line why it cannot be read and what follows from that. */
export function checkpointOf(shard: string, stored: StoredCheckpoint): ShardCheckpoint | string {
  try {
    return {
      seq: stored.seq,
      entries: listOf(parsed(stored.states, 'states'), 'states').map(stateOf),
      meta: fieldsOf(parsed(stored.meta, 'meta'), 'meta'),
      positions: listOf(parsed(stored.positions, 'positions'), 'positions').map(positionOf),
      ids: stored.ids,
    };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return (
      `Checkpoint ${stored.seq} of shard ${shard} cannot be read: ${error.message}. ` +
      'An older one is taken and the journal handled again from there; nothing needs to be done.'
    );
  }
}

function stateOf(value: unknown, index: number): CheckpointEntry {
  const what = `states[${index}]`;
  const { handler, key, state } = fieldsOf(value, what);
  if (typeof handler !== 'string' || typeof key !== 'string') throw new Unreadable(`${what} names no handler and key`);
  return { handler, key, state };
}

function positionOf(value: unknown, index: number): BusPosition {
  const what = `positions[${index}]`;
  const { topic, partition, offset } = fieldsOf(value, what);
  return {
    topic: topicOf(topic, `${what}.topic`),
    partition: countOf(partition, `${what}.partition`),
    offset: countOf(offset, `${what}.offset`),
  };
}

/** @throws RangeError for a batch that no journal may hold */
export function assertBatch({ afterSeq, toSeq, publishedSeq }: JournalBatch): void {
  const isSound = [afterSeq, toSeq, publishedSeq].every((seq) => Number.isSafeInteger(seq) && seq >= 0);
  if (isSound && toSeq > afterSeq && publishedSeq <= toSeq) return;
  throw new RangeError(
    `A journal batch from ${afterSeq} (exclusive) to ${toSeq}, published up to ${publishedSeq}, makes no sense.`,
  );
}

/** What a gap, an overlap or other content at a position that is taken is answered with. */
export const batchDoesNotFollow = (shard: string, afterSeq: number, lastSeq: number): RangeError =>
  new RangeError(
    `A batch after ${afterSeq} does not follow: the journal of shard ${shard} ends at ${lastSeq}. ` +
      'Claim the shard again and recover it from its journal.',
  );

/** True when both are one and the same batch; only then is the second one a repeat. */
export const isSameBatch = (one: StoredBatch, other: StoredBatch): boolean => isDeepStrictEqual(one, other);
