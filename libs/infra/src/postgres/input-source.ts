import { createHash } from 'node:crypto';
import { CATALOG, upcast, type AnyEvent, type EventType, type RawEnvelope } from '@moon/events';
import type { InputSource } from '@moon/kernel';
import { escapeLiteral } from 'pg';
import type { Login } from './access';
import { BarJson } from './bar-json';
import { CopyRows } from './copy-rows';
import { StoredInput } from './stored-input';

/** Which recorded inputs are read. */
export interface InputQuery {
  /**
   * `time`: by (occurredAt, phase, position), for logs of files, into which several imports may have come (rule 1).
   * `recorded`: in the order in which they arrived, for logs of live and synthetic runs.
   */
  order: 'time' | 'recorded';
  /** Only events from here (ms, inclusive) … */
  from?: number;
  /** … to here (exclusive). */
  to?: number;
  /** Only these instruments, and what is said of their tokens where an event names no instrument. Default: all. */
  instruments?: readonly { id: string; token: string }[];
}

/** What the market says; everything else in a log follows from it, or is a platform's own. */
const INPUT_TYPES: readonly EventType[] = [
  'price.tick',
  'bar.opened',
  'bar.closed',
  'funding.update',
  'market.liquidation',
  'market.sentiment',
];

/** Before the first row: signature, flags, and the length of an extension, which is none. */
const HEADER_LENGTH = 19;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const COLUMNS = 'event_id, occurred_at, schema_version, type, source, key, data, headers';
const COLUMN_COUNT = 8;
const TRAILER = -1;
const ID_LENGTH = 16;
const IDS_AT_ONCE = 1_024;
/** PostgreSQL counts microseconds from 2000 on. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const TWO_POW_32 = 4_294_967_296;

/** The market inputs of a run's log as a source, read by COPY in its binary form. Close it, also when it was read to its end. */
export class StoredInputs implements InputSource {
  private readonly decoder: RowDecoder;
  private readonly isByTime: boolean;
  /** Of the instant that has begun and may go on with the next rows. */
  private held: AnyEvent[] = [];

  private constructor(
    private readonly rows: CopyRows,
    /** Time of the first input, ms; null when there is none. */
    readonly startsAt: number | null,
    query: InputQuery,
  ) {
    this.isByTime = query.order === 'time';
    this.decoder = new RowDecoder(query.instruments);
  }

  static async open(login: Login, database: string, query: InputQuery): Promise<StoredInputs> {
    // Before anything is opened that would have to be closed again.
    const [first, selection] = [firstTimeOf(query), selectionOf(query)];
    const rows = await CopyRows.connect(login, database);
    try {
      const startsAt = await rows.ask(first);
      rows.start(selection);
      return new StoredInputs(rows, startsAt === null ? null : Math.round(Number(startsAt)), query);
    } catch (error) {
      await rows.close();
      throw error;
    }
  }

  /** Hash over the ids of the inputs that were given so far; an id is made of what its input says (rule 3). */
  get fingerprint(): string {
    return this.decoder.fingerprint;
  }

  async nextBatch(): Promise<readonly AnyEvent[] | null> {
    for (let messages = await this.rows.next(); messages !== null; messages = await this.rows.next()) {
      const batch = this.held;
      for (const message of messages) {
        const event = this.decoder.read(message);
        if (event !== null) batch.push(event);
      }
      this.held = this.isByTime ? inPhaseOrder(batch) : [];
      if (batch.length > 0) return batch;
    }
    const rest = this.held;
    this.held = [];
    return rest.length === 0 ? null : rest;
  }

  close(): Promise<void> {
    this.held = [];
    return this.rows.close();
  }
}

/** Order of events of one instant (rule 1); all others come between. */
const PHASES: Partial<Record<EventType, number>> = { 'bar.closed': 0, 'funding.update': 1, 'bar.opened': 3 };
const OTHER_PHASE = 2;

const phaseOf = (event: AnyEvent): number => PHASES[event.type] ?? OTHER_PHASE;

/**
 * Puts events that come in the order of (time, position) into that of (time, phase, position). One import stores them so;
 * several may leave an instant mixed. Takes the last instant away, which may not be whole yet, and returns it.
 */
function inPhaseOrder(events: AnyEvent[]): AnyEvent[] {
  let from = 0;
  let isMixed = false;
  for (let index = 1; index < events.length; index += 1) {
    const [before, event] = [events[index - 1]!, events[index]!];
    if (event.occurredAt !== before.occurredAt) {
      if (isMixed) sortByPhase(events, from, index);
      from = index;
      isMixed = false;
    } else if (phaseOf(event) < phaseOf(before)) isMixed = true;
  }
  if (isMixed) sortByPhase(events, from, events.length);
  return events.splice(from);
}

function sortByPhase(events: AnyEvent[], from: number, to: number): void {
  const sorted = events.slice(from, to).sort((a, b) => phaseOf(a) - phaseOf(b));
  events.splice(from, sorted.length, ...sorted);
}

function conditionsOf({ from, to, instruments }: InputQuery): string {
  const types = INPUT_TYPES.map(escapeLiteral).join(', ');
  const conditions = [`type IN (${types})`, 'causation_id IS NULL'];
  if (from !== undefined) conditions.push(`occurred_at >= to_timestamp(${wholeMs(from)} / 1000.0)`);
  if (to !== undefined) conditions.push(`occurred_at < to_timestamp(${wholeMs(to)} / 1000.0)`);
  if (instruments) {
    const tokens = [...new Set(instruments.map(({ token }) => token))];
    conditions.push(`token = ANY (ARRAY[${tokens.map(escapeLiteral).join(', ')}]::text[])`);
  }
  return conditions.join(' AND ');
}

function wholeMs(at: number): string {
  if (!Number.isSafeInteger(at)) throw new RangeError(`${at} is no instant; give whole epoch milliseconds.`);
  return String(at);
}

function selectionOf(query: InputQuery): string {
  // An index has this order; what phases add to it within an instant is done here, where it costs next to nothing.
  const order = query.order === 'time' ? 'occurred_at, seq' : 'seq';
  return `SELECT ${COLUMNS} FROM events WHERE ${conditionsOf(query)} ORDER BY ${order}`;
}

function firstTimeOf(query: InputQuery): string {
  return `SELECT date_part('epoch', occurred_at) * 1000 AS value FROM events WHERE ${conditionsOf(query)}
    ORDER BY occurred_at LIMIT 1`;
}

/** Turns rows in COPY's binary form into events. */
class RowDecoder {
  private readonly hash = createHash('sha256');
  /** Ids that are not hashed yet. */
  private readonly ids = Buffer.alloc(IDS_AT_ONCE * ID_LENGTH);
  private idsEnd = 0;
  private readonly bars = { 'bar.opened': new BarJson('bar.opened'), 'bar.closed': new BarJson('bar.closed') };
  private readonly texts = new KnownTexts((text) => text);
  private readonly headers = new KnownTexts((text) => JSON.parse(text) as AnyEvent['headers']);
  private readonly instruments: ReadonlySet<string> | null;
  private isFirst = true;
  /** Of the row under way: where the next field begins. */
  private at = 0;

  constructor(instruments: InputQuery['instruments']) {
    this.instruments = instruments ? new Set(instruments.map(({ id }) => id)) : null;
  }

  get fingerprint(): string {
    return this.hash.copy().update(this.ids.subarray(0, this.idsEnd)).digest('hex');
  }

  /** Null for the trailer, and for a row of an instrument that was not asked for. */
  read(row: Buffer): AnyEvent | null {
    this.at = 0;
    if (this.isFirst) this.passHeader(row);
    const count = row.readInt16BE(this.at);
    this.at += 2;
    if (count === TRAILER) return null;
    if (count !== COLUMN_COUNT) throw new Error(`COPY gave a row of ${count} columns instead of ${COLUMN_COUNT}.`);
    this.field(row);
    const idAt = this.at;
    this.at += ID_LENGTH;
    this.field(row);
    const micros = row.readInt32BE(this.at) * TWO_POW_32 + row.readUInt32BE(this.at + 4);
    this.at += 8;
    this.field(row);
    const schemaVersion = row.readInt32BE(this.at);
    this.at += 4;
    const type = this.text(row) as AnyEvent['type'];
    const source = this.text(row);
    const key = this.text(row);
    const data = this.data(row, type);
    const headersLength = this.field(row);
    const headers = headersLength < 0 ? undefined : this.headers.at(row, this.at, this.at + headersLength);
    const occurredAt = POSTGRES_EPOCH_MS + Math.round(micros / 1_000);
    return this.event({ type, schemaVersion, source, key, occurredAt, data, headers } as never, row, idAt);
  }

  private event(
    raw: Omit<AnyEvent, 'id' | 'correlationId' | 'causationId'>,
    row: Buffer,
    idAt: number,
  ): AnyEvent | null {
    let event = raw;
    if (CATALOG[raw.type].schemaVersion !== raw.schemaVersion) {
      // Older versions are upcast here, so that nobody above the store ever sees one.
      event = upcast({ ...raw, id: '', correlationId: '', causationId: null } as unknown as RawEnvelope) as never;
    }
    if (this.instruments !== null) {
      const { instrument } = event.data as { instrument?: string };
      if (instrument !== undefined && !this.instruments.has(instrument)) return null;
    }
    this.count(row, idAt);
    return new StoredInput(event, row, idAt) as unknown as AnyEvent;
  }

  /** Ids are hashed many at a time. */
  private count(row: Buffer, idAt: number): void {
    if (this.idsEnd === this.ids.length) {
      this.hash.update(this.ids);
      this.idsEnd = 0;
    }
    for (let index = 0; index < ID_LENGTH; index += 1) this.ids[this.idsEnd + index] = row[idAt + index]!;
    this.idsEnd += ID_LENGTH;
  }

  private data(row: Buffer, type: string): unknown {
    const length = this.field(row);
    const start = this.at;
    this.at += length;
    if (type === 'bar.closed' || type === 'bar.opened') return this.bars[type].read(row, start, this.at);
    return JSON.parse(row.toString('utf8', start, this.at));
  }

  private text(row: Buffer): string {
    const length = this.field(row);
    const start = this.at;
    this.at += length;
    return this.texts.at(row, start, this.at);
  }

  /** The length of the next field, which then begins at `at`; −1 = NULL. */
  private field(row: Buffer): number {
    const length = row.readInt32BE(this.at);
    this.at += 4;
    return length;
  }

  private passHeader(row: Buffer): void {
    if (!row.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error('COPY did not begin with its signature.');
    this.at = HEADER_LENGTH;
    this.isFirst = false;
  }
}

/** Texts of columns that have few values, so that each is made once. */
const MAX_KNOWN = 64;

class KnownTexts<T> {
  private readonly known: { bytes: Buffer; value: T }[] = [];

  constructor(private readonly make: (text: string) => T) {}

  at(row: Buffer, start: number, end: number): T {
    for (const { bytes, value } of this.known) if (isEqual(bytes, row, start, end)) return value;
    const value = this.make(row.toString('utf8', start, end));
    if (this.known.length < MAX_KNOWN) this.known.push({ bytes: Buffer.from(row.subarray(start, end)), value });
    return value;
  }
}

function isEqual(bytes: Buffer, row: Buffer, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let index = bytes.length - 1; index >= 0; index -= 1) if (bytes[index] !== row[start + index]) return false;
  return true;
}
