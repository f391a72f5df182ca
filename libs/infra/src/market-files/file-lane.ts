import { inputId, validateEvent, type AnyEvent } from '@moon/events';
import type { FormatContext, RowEvent } from './formats';
import { readRows, refusalOf, type BadRow, type FileFacts, type FileRow } from './row-reader';

export interface LaneReport {
  file: string;
  kind: string;
  rows: number;
  events: number;
  /** Exact repeats that were collapsed. */
  repeats: number;
  /** Same key, other values: the first one counts. */
  conflicts: number;
  refused: number;
}

/** An event of a lane with what orders it among other lanes. */
export interface LaneEvent {
  event: AnyEvent;
  phase: number;
  position: number;
}

/** An event of a row that was read, until its turn comes. */
type WaitingEvent = RowEvent & { position: number; line: number };

/** Rows of one instant and symbol are compared; this many keys are remembered at most. */
const REMEMBERED_KEYS = 10_000;

/**
 * The events of one file in recorded order. A candle gives two events at two instants, so closes wait in a queue until
 * their time has come; equal trades get ordinals, equal rows of other kinds collapse (rule 3).
 */
export class FileLane {
  readonly report: LaneReport;
  private readonly rows: AsyncIterator<FileRow>;
  private readonly waiting: WaitingEvent[] = [];
  private readonly seen = new Map<string, string>();
  private readonly ordinals = new Map<string, number>();
  private ordinalsAt = 0;
  private next: FileRow | null = null;
  private ended = false;

  constructor(
    private readonly facts: FileFacts,
    private readonly context: FormatContext,
    private readonly onBad: (bad: BadRow) => void,
    private readonly headers: AnyEvent['headers'],
  ) {
    this.report = { file: facts.path, kind: facts.format.kind, rows: 0, events: 0, repeats: 0, conflicts: 0, refused: 0 };
    this.rows = readRows(facts, (bad) => this.refuse(bad))[Symbol.asyncIterator]();
  }

  /** The next event, or null at the end of the file. */
  async take(): Promise<LaneEvent | null> {
    for (;;) {
      await this.fill();
      const entry = this.waiting.shift();
      if (!entry) return null;
      const event = this.build(entry);
      if (event) return { event, phase: entry.phase, position: entry.position };
    }
  }

  /** Reads rows until the first waiting event can no longer be preceded by one of a later row. */
  private async fill(): Promise<void> {
    for (;;) {
      if (!this.next && !this.ended) {
        const read = await this.rows.next();
        if (read.done) this.ended = true;
        else this.next = read.value;
      }
      const first = this.waiting[0];
      if (!this.next) return;
      const earliest = this.context.stampsClose ? this.next.at - this.context.intervalMs : this.next.at;
      if (first && first.at < earliest) return;
      if (first && first.at === earliest && first.phase === 0 && this.facts.format.kind === 'candles') return;
      this.insert(this.next);
      this.next = null;
    }
  }

  private insert(row: FileRow): void {
    this.report.rows += 1;
    const { format } = this.facts;
    try {
      if (!format.keepsEqualRows && this.isRepeat(row)) return;
      for (const event of format.events(row.fields, this.context)) {
        const entry = { ...event, position: row.position, line: row.line };
        const index = this.waiting.findIndex((other) => other.at > entry.at || (other.at === entry.at && other.phase > entry.phase));
        if (index < 0) this.waiting.push(entry);
        else this.waiting.splice(index, 0, entry);
      }
    } catch (error) {
      this.refuse({ file: this.facts.path, line: row.line, ...refusalOf(error) });
    }
  }

  private isRepeat(row: FileRow): boolean {
    const key = this.facts.format.key(row.fields);
    const values = row.fields.join(',');
    const earlier = this.seen.get(key);
    if (earlier === undefined) {
      this.seen.set(key, values);
      if (this.seen.size > REMEMBERED_KEYS) this.seen.delete(this.seen.keys().next().value as string);
      return false;
    }
    if (earlier === values) this.report.repeats += 1;
    else {
      this.report.conflicts += 1;
      const message = `the same key ${key} came before with other values: ${earlier}`;
      this.onBad({ file: this.facts.path, line: row.line, rule: 'conflict', message });
    }
    return true;
  }

  private build(entry: WaitingEvent): AnyEvent | null {
    const identity = { source: this.context.venue, kind: entry.type, instrument: entry.instrument, venueTime: entry.at };
    const id = inputId({ ...identity, values: [...entry.identity], ordinal: this.ordinal(entry) });
    const event = {
      id,
      type: entry.type,
      schemaVersion: 1,
      source: 'feed/recorded',
      key: entry.token,
      occurredAt: entry.at,
      correlationId: id,
      causationId: null,
      data: { event_type: entry.type, ...entry.data },
      headers: this.headers,
    } as AnyEvent;
    try {
      validateEvent(event);
    } catch (error) {
      this.refuse({ file: this.facts.path, line: entry.line, ...refusalOf(error) });
      return null;
    }
    this.report.events += 1;
    return event;
  }

  /** Position among equal rows of one instant; 0 where equal rows are one. */
  private ordinal(entry: RowEvent): number {
    if (!this.facts.format.keepsEqualRows) return 0;
    if (entry.at !== this.ordinalsAt) {
      this.ordinals.clear();
      this.ordinalsAt = entry.at;
    }
    const key = `${entry.instrument},${entry.identity.join(',')}`;
    const ordinal = this.ordinals.get(key) ?? 0;
    this.ordinals.set(key, ordinal + 1);
    return ordinal;
  }

  private refuse(bad: BadRow): void {
    this.report.refused += 1;
    this.onBad(bad);
  }
}
