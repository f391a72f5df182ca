import { CATALOG, inputId, validateData, type AnyEvent } from '@moon/events';
import { PHASE, type FormatContext, type RowEvent } from './formats';
import { readRows, refusalOf, type BadRow, type FileFacts, type FileRow } from './row-reader';

/**
 * What became of a file's rows. At the end of the file, without a range,
 * `rows` = `events` ÷ events a row (2 for candles, else 1) + `repeats` + `conflicts` + `refused`.
 */
export interface LaneReport {
  file: string;
  kind: string;
  rows: number;
  /** Events that were handed on. */
  events: number;
  /** Exact repeats that were collapsed, of this file or of another one that is read with it. */
  repeats: number;
  /** Same key, other values: the first one counts. */
  conflicts: number;
  refused: number;
  /** Events before the chosen range. */
  outside: number;
}

/** An event of a lane with what orders it among other lanes. */
export interface LaneEvent {
  event: AnyEvent;
  phase: number;
  position: number;
  line: number;
  /** Of a trade: its value in quote currency. */
  quote?: number;
}

/**
 * The events of one file in recorded order. A candle gives two events at two instants, so closes wait until the rows have
 * come to their time; equal trades get ordinals, equal rows of other kinds collapse (rule 3). Rows come in batches:
 * `head` and `shift` need no promise as long as `load` has something to give.
 */
export class FileLane {
  readonly report: LaneReport;
  private readonly rows: AsyncGenerator<FileRow[]>;
  private ready: LaneEvent[] = [];
  private cursor = 0;
  /** Closes of candles that later rows may still precede, in order. */
  private closes: LaneEvent[] = [];
  private hasEnded = false;
  /** Of the instant that is being read: values by key, and how often equal trades came. */
  private readonly values = new Map<string, RowEvent['identity']>();
  private readonly ordinals = new Map<string, number>();
  private instant = 0;

  constructor(
    private readonly facts: FileFacts,
    private readonly context: FormatContext,
    private readonly onBad: (bad: BadRow) => void,
    private readonly headers: AnyEvent['headers'],
  ) {
    const { path: file, format } = facts;
    this.report = { file, kind: format.kind, rows: 0, events: 0, repeats: 0, conflicts: 0, refused: 0, outside: 0 };
    this.rows = readRows(facts, (bad) => {
      this.report.rows += 1;
      this.refuse(bad);
    });
  }

  /** The next event; undefined when `load` has to be called first, or at the end. */
  get head(): LaneEvent | undefined {
    return this.ready[this.cursor];
  }

  shift(): void {
    this.cursor += 1;
  }

  /** Reads on until there is a head or the file has ended. */
  async load(): Promise<void> {
    while (this.head === undefined && !this.hasEnded) {
      this.ready = [];
      this.cursor = 0;
      const batch = await this.rows.next();
      if (batch.done) {
        this.hasEnded = true;
        this.ready = this.closes;
        this.closes = [];
      } else for (const row of batch.value) this.take(row);
    }
  }

  /** A row counts as a whole: when one of its events is refused, none of them enters. */
  private take(row: FileRow): void {
    this.report.rows += 1;
    if (row.at !== this.instant) {
      this.instant = row.at;
      this.values.clear();
      this.ordinals.clear();
    }
    try {
      const entries = this.facts.format.events(row.fields, row.at, this.context);
      const events = entries.map((entry) => this.build(entry, row));
      if (!this.isRepeat(row, entries)) for (const event of events) this.enqueue(event);
    } catch (error) {
      this.refuse({ file: this.facts.path, line: row.line, ...refusalOf(error) });
    }
  }

  private enqueue(entry: LaneEvent): void {
    if (entry.phase === PHASE.barClosed) {
      this.closes.push(entry);
      return;
    }
    if (entry.phase === PHASE.barOpened) this.releaseCloses(entry.event.occurredAt);
    this.ready.push(entry);
  }

  /** Rows come in the order of their stamps, so no later row can give anything before a candle's opening. */
  private releaseCloses(until: number): void {
    let count = 0;
    while ((this.closes[count]?.event.occurredAt ?? Number.POSITIVE_INFINITY) <= until) count += 1;
    if (count > 0) this.ready.push(...this.closes.splice(0, count));
  }

  private isRepeat(row: FileRow, entries: readonly RowEvent[]): boolean {
    const { format, path } = this.facts;
    if (format.keepsEqualRows) return false;
    const key = format.key(row.fields);
    const values = entries[entries.length - 1]?.identity ?? [];
    const earlier = this.values.get(key);
    if (earlier === undefined) {
      this.values.set(key, values);
      return false;
    }
    if (earlier.join() === values.join()) this.report.repeats += 1;
    else {
      this.report.conflicts += 1;
      const message = `${key} came before at ${row.at} with other values: ${earlier.join().slice(0, 200)}`;
      this.onBad({ file: path, line: row.line, rule: 'conflict', message });
    }
    return true;
  }

  /**
   * The envelope is right by its making (the stamp is also the data's); only the data can be refused.
   * @throws EventRefused
   */
  private build(entry: RowEvent, { position, line }: FileRow): LaneEvent {
    const { type, at, instrument, identity, phase, quote, data } = entry;
    validateData(type, data);
    const ordinal = this.facts.format.keepsEqualRows ? this.ordinal(instrument, identity) : 0;
    const id = inputId({
      source: this.context.venue,
      kind: type,
      instrument,
      venueTime: at,
      values: identity,
      ordinal,
    });
    const event = {
      id,
      type,
      schemaVersion: CATALOG[type].schemaVersion,
      source: 'feed/recorded',
      key: entry.token,
      occurredAt: at,
      correlationId: id,
      causationId: null,
      data,
      headers: this.headers,
    } as AnyEvent;
    return { event, phase, position, line, quote };
  }

  /** Position among equal rows of one instant. */
  private ordinal(instrument: string, identity: RowEvent['identity']): number {
    const key = `${instrument},${identity.join(',')}`;
    const ordinal = this.ordinals.get(key) ?? 0;
    this.ordinals.set(key, ordinal + 1);
    return ordinal;
  }

  private refuse(bad: BadRow): void {
    this.report.refused += 1;
    this.onBad(bad);
  }
}
