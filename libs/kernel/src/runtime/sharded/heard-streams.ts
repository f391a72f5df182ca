import { CATALOG } from '@moon/events';
import { STREAM_VERSION, type BusMessage } from '../../ports/bus';
import { slotOf } from './message-buffer';
import { streamOfShard } from './stream-numbers';

/** The newest message of a stream: its version, and its event's time in ms. */
interface Newest {
  version: number;
  at: number;
}

/** What a checkpoint keeps of them, by partition and stream. */
export type HeardState = Readonly<Record<string, Newest>>;

/**
 * How far a shard has heard the streams of others (rule 27): a relay publishes again what was not noted, after a restore
 * perhaps all of its log, and ids of inputs are not remembered for ever. A shard hears only some types of a stream, each
 * stream's in one order a partition; so a gap says nothing here. There are few of them: consensus by token, halts and audit by
 * shard, portfolios. Streams of orders are not noted: they are many, and their shard alone takes them.
 */
export class HeardStreams {
  private readonly newest: Map<string, Newest>;

  constructor(heard: HeardState = {}) {
    this.newest = new Map(Object.entries(heard));
  }

  /** Notes a message; false for a copy of what was heard, or could have been, before. */
  advance(message: BusMessage): boolean {
    const { event, producer } = message;
    const version = event.headers?.[STREAM_VERSION];
    if (typeof version !== 'number' || CATALOG[event.type].streamRule === 'order') return true;
    const stream = streamOfShard(event, producer ?? '');
    if (stream === null) return true;
    const place = `${slotOf(message)} ${stream}`;
    const known = this.newest.get(place);
    // Times of a stream only grow. A lower version of later was given once more: the store was taken back to before.
    if (known && version <= known.version && event.occurredAt <= known.at) return false;
    this.newest.set(place, { version, at: event.occurredAt });
    return true;
  }

  list(): HeardState {
    return Object.fromEntries(this.newest);
  }
}
