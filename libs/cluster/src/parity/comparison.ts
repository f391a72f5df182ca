import { eventDifferences, Findings, plainEvent, sameEvent, type Divergence } from '@moon/backtesting';
import { CATALOG, type AnyEvent } from '@moon/events';
import type { EmittedRow } from '@moon/infra';
import { streamOfShard, type LogRow } from '@moon/kernel';

/** Rows of the log that are asked for at a time. */
const CHUNK = 1_000;

/** Something that the replay put into a shard's log and the record must hold. */
interface Expected {
  seq: number;
  event: AnyEvent;
  isInput: boolean;
  /** Its place in its stream; null when it belongs to none. */
  place: { stream: string; version: number } | null;
}

export interface Ending {
  /** Position that the replay came to. */
  seq: number;
  /** True: that is the journal's end. */
  isWhole: boolean;
  publishedTo: number;
  /** Reads one event of the log. */
  read: (id: string) => Promise<LogRow | undefined>;
}

/** Reads rows of the log by their events. */
export type RowsOf = (events: readonly AnyEvent[]) => Promise<Map<string, EmittedRow>>;

/**
 * Holds what a shard emits again against what the log holds of it: the same events, whole, and in the same order. The
 * order of a stream is that of its versions; of what was published only, that of its offsets in a topic, key by key:
 * brokers promise no more. The shard's own inputs are held against their copies in the log, too.
 */
export class ShardComparison {
  readonly findings = new Findings();
  readonly comparedByType: Record<string, number> = {};
  compared = 0;
  operational = 0;
  pending = 0;
  private waiting: Expected[] = [];
  private readonly versions = new Map<string, number>();
  private readonly offsets = new Map<string, number>();
  /** Published events that were not found, by topic and key: a later one that is found says that they are missing. */
  private readonly late = new Map<string, Expected[]>();

  /** @param left ids that the log held of this shard before its journal was read; those never emitted again stay */
  constructor(
    private readonly shard: string,
    private readonly left: Set<string>,
    private readonly rowsOf: RowsOf,
  ) {}

  /** To be called with every row of the replay, but for messages of the broker. */
  emitted({ seq, event }: LogRow, isInput: boolean): void {
    // Operational events are not compared, and count in the version of their stream all the same.
    const place = this.placeOf(event);
    if (!CATALOG[event.type].operational) {
      this.waiting.push({ seq, event, isInput, place });
      return;
    }
    this.operational += 1;
    this.left.delete(event.id);
  }

  get isFull(): boolean {
    return this.waiting.length >= CHUNK;
  }

  /** Compares what has been emitted so far. */
  async compare(): Promise<void> {
    const waiting = this.waiting;
    this.waiting = [];
    for (let from = 0; from < waiting.length; from += CHUNK) {
      const chunk = waiting.slice(from, from + CHUNK);
      const rows = await this.rowsOf(chunk.map(({ event }) => event));
      for (const expected of chunk) this.hold(expected, rows.get(expected.event.id));
    }
  }

  /**
   * To be called at the end: what the log holds of the shard and the replay never emitted, and the other way round.
   *
   * @param publishedTo position up to which all that was emitted is archived; 0 when that is not known
   */
  async finish({ seq, isWhole, publishedTo, read }: Ending): Promise<void> {
    await this.compare();
    for (const expected of [...this.late.values()].flat()) {
      if (expected.seq <= publishedTo) this.add('not_recorded', expected, null, expected.event);
      else this.pending += 1;
    }
    // Of a journal that could not be handled to its end nothing can be said of the rest.
    if (!isWhole) return;
    for (const id of this.left) {
      const row = await read(id);
      if (!row || CATALOG[row.event.type].operational) continue;
      this.add('not_replayed', { seq, event: row.event }, row.event, null);
      if (this.findings.areTooMany) return;
    }
  }

  private hold(expected: Expected, row: EmittedRow | undefined): void {
    const { event, isInput, place } = expected;
    this.left.delete(event.id);
    if (!row) {
      if (place) this.add('not_recorded', expected, null, event);
      else this.notFound(expected);
      return;
    }
    if (!isInput) {
      this.compared += 1;
      this.comparedByType[event.type] = (this.comparedByType[event.type] ?? 0) + 1;
    }
    const isSame = sameEvent(row.event, event) && row.shard === this.shard;
    if (!isSame) this.add('differs', expected, row.event, event);
    else if (!this.isInOrder(event, row, place)) this.add('order', expected, row.event, event);
  }

  /** The next version of the event's stream; null when it belongs to none. */
  private placeOf(event: AnyEvent): Expected['place'] {
    const stream = streamOfShard(event, this.shard);
    if (stream === null) return null;
    const version = (this.versions.get(stream) ?? 0) + 1;
    this.versions.set(stream, version);
    return { stream, version };
  }

  private isInOrder(event: AnyEvent, row: EmittedRow, place: Expected['place']): boolean {
    if (place) return row.streamId === place.stream && row.version === place.version;
    const lane = laneOf(event);
    for (const missed of this.late.get(lane) ?? []) this.add('not_recorded', missed, null, missed.event);
    this.late.delete(lane);
    const last = this.offsets.get(lane) ?? -1;
    const offset = row.busOffset ?? -1;
    this.offsets.set(lane, Math.max(last, offset));
    return offset > last;
  }

  private notFound(expected: Expected): void {
    const lane = laneOf(expected.event);
    const late = this.late.get(lane);
    if (late) late.push(expected);
    else this.late.set(lane, [expected]);
  }

  private add(
    kind: Divergence['kind'],
    { seq, event }: Pick<Expected, 'seq' | 'event'>,
    recorded: AnyEvent | null,
    replayed: AnyEvent | null,
  ): void {
    const paths = recorded && replayed ? eventDifferences(recorded, plainEvent(replayed)) : [];
    const { type, key, source } = event;
    const says = SAYS[kind](`${type} of ${source} for ${key}`, this.shard, paths.map(({ path }) => path).join(', '));
    this.findings.add({ kind, seq, type, key, handler: source, says, paths, recorded, replayed });
  }
}

const laneOf = ({ type, key }: AnyEvent): string => `${CATALOG[type].topic}\u0000${key}`;

type Sentence = (what: string, shard: string, paths: string) => string;
const nothing: Sentence = (what) => what;

const SAYS: Readonly<Record<Divergence['kind'], Sentence>> = {
  differs: (what, shard, paths) =>
    paths === ''
      ? `${what}: the log says that another shard than ${shard} emitted it.`
      : `${what} differs in ${paths} (shard ${shard}).`,
  order: (what, shard) => `${what}: shard ${shard} emits it at another place of its order than the log holds it.`,
  not_recorded: (what, shard) => `Shard ${shard} emits ${what} again, which the log does not hold.`,
  not_replayed: (what, shard) => `The log holds ${what} of shard ${shard}, which the replay does not emit.`,
  deadline: nothing,
  answer: nothing,
  state: nothing,
};
