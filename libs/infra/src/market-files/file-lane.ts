import { createHash } from 'node:crypto';
import { validateData, type AnyEvent } from '@moon/events';
import { takeTicks, PlainCandles, PlainTrades, type PlainRows, type RowSink, type RowSymbol } from './plain-rows';
import { quoteOfTrade, type FormatContext } from './formats';
import { lineText, NEWLINE, readPieces, UnreadableFile } from './pieces';
import { PHASE, type RecordedInput } from './recorded-input';
import { refusalOf, rowOf, type BadRow, type FileRow } from './row-reader';
import type { FileFacts } from './survey';
import { TradeOrdinals } from './trade-ordinals';

/**
 * What became of a file's rows. At the end of the file, without a range,
 * `rows` = `events` ÷ events a row (candles 2, as ticks 4, else 1) + `repeats` + `conflicts` + `refused`.
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

/** Rows that are read at a time: few enough that what is made of them dies young. Garbage that survives a collection is what costs. */
const ROWS_AT_ONCE = 64;

/**
 * The inputs of one file in recorded order. A candle gives inputs at several instants, so the later ones wait until the
 * rows have come to their time; equal trades get ordinals, equal rows of other kinds collapse (rule 3). `head` and
 * `shift` need no promise as long as `load` has something to give.
 */
export class FileLane implements RowSink {
  readonly report: LaneReport;
  private readonly pieces: AsyncGenerator<Buffer>;
  private readonly hash = createHash('sha256');
  private readonly plain: PlainRows | null;
  private readonly ordinals = new TradeOrdinals();
  /** What is being read: bytes from `offset` on, or, of a file that is out of order, rows. */
  private piece: Buffer = Buffer.alloc(0);
  private offset = 0;
  private rows: FileRow[] = [];
  private line = 0;
  private hasEnded = false;
  /** What can be taken, with the line and the quote volume of each. */
  private ready: RecordedInput[] = [];
  private lines: number[] = [];
  private quotes: number[] = [];
  private cursor = 0;
  /** Inputs that later rows may still precede, in order, with their lines. */
  private waiting: RecordedInput[] = [];
  private waitingLines: number[] = [];
  /** Of the instant that is being read, by key. */
  private readonly seen = new Map<string, RecordedInput>();
  private instant = 0;

  constructor(
    private readonly facts: FileFacts,
    private readonly context: FormatContext,
    private readonly onBad: (bad: BadRow) => void,
    /** What is asked of each head besides the input itself. */
    private readonly needs: { lines: boolean; quotes: boolean },
  ) {
    const { path: file, format } = facts;
    this.report = { file, kind: format.kind, rows: 0, events: 0, repeats: 0, conflicts: 0, refused: 0, outside: 0 };
    this.pieces = readPieces(file, { hash: this.hash, linesRead: () => this.line });
    this.plain = plainRows(facts, context, this.ordinals, this);
  }

  /** The next input; undefined when `load` has to be called first, or at the end. */
  get head(): RecordedInput | undefined {
    return this.ready[this.cursor];
  }

  /** Of the head: the line of its row, and what it adds to `volume_1m`. */
  get headLine(): number {
    return this.lines[this.cursor] ?? 0;
  }

  get headQuote(): number {
    return this.quotes[this.cursor] ?? 0;
  }

  shift(): void {
    this.cursor += 1;
  }

  /** Reads on until there is a head or the file has ended. */
  async load(): Promise<void> {
    while (this.head === undefined && !this.hasEnded) {
      this.ready = [];
      this.lines = [];
      this.quotes = [];
      this.cursor = 0;
      if (this.offset < this.piece.length) this.readLines();
      else if (this.rows.length > 0) for (const row of this.rows.splice(0, ROWS_AT_ONCE)) this.take(row);
      else await this.readOn();
    }
  }

  now(input: RecordedInput, quote: number): void {
    if (this.waiting.length > 0) this.release(input.occurredAt);
    this.ready.push(input);
    if (this.needs.lines) this.lines.push(this.line);
    if (this.needs.quotes) this.quotes.push(quote);
  }

  later(input: RecordedInput): void {
    let place = this.waiting.length;
    while (place > 0 && this.waiting[place - 1]!.occurredAt > input.occurredAt) place -= 1;
    if (place === this.waiting.length) this.waiting.push(input);
    else this.waiting.splice(place, 0, input);
    if (this.needs.lines) this.waitingLines.splice(place, 0, this.line);
  }

  /** Rows come in the order of their stamps, so no later row can give anything before this one's first input. */
  private release(until: number): void {
    const { waiting, ready } = this;
    let count = 0;
    while (count < waiting.length && waiting[count]!.occurredAt <= until) ready.push(waiting[count++]!);
    if (count === 0) return;
    if (this.needs.lines) this.lines.push(...this.waitingLines.splice(0, count));
    if (this.needs.quotes) while (this.quotes.length < ready.length) this.quotes.push(0);
    // Nearly always all of them.
    if (count < waiting.length) waiting.splice(0, count);
    else while (count > 0) count -= waiting.pop() ? 1 : 0;
  }

  private async readOn(): Promise<void> {
    if (!this.facts.isSorted && this.line === 0) return this.readAll();
    const next = await this.pieces.next();
    if (!next.done) this.open(next.value);
    else this.end();
  }

  private open(piece: Buffer): void {
    this.piece = piece;
    this.offset = 0;
    if (this.line > 0) return;
    this.offset = piece.indexOf(NEWLINE) + 1;
    this.line = 1;
  }

  private end(): void {
    this.hasEnded = true;
    this.release(Number.POSITIVE_INFINITY);
    if (this.hash.digest('hex') === this.facts.sha256) return;
    throw new UnreadableFile(`${this.facts.path} was changed while it was being read: start again.`);
  }

  /** A file that is out of order is put into it as a whole: by time, then by line. */
  private async readAll(): Promise<void> {
    const rows: FileRow[] = [];
    for await (const piece of this.pieces) {
      this.open(piece);
      while (this.offset < piece.length) {
        const row = this.nextRow();
        if (row) rows.push(row);
      }
    }
    this.rows = rows.sort((a, b) => a.at - b.at || a.line - b.line);
  }

  private readLines(): void {
    const { plain, piece } = this;
    for (let count = 0; count < ROWS_AT_ONCE && this.offset < piece.length; count += 1) {
      this.line += 1;
      const end = plain === null ? -1 : plain.take(piece, this.offset);
      if (end > 0) {
        this.report.rows += 1;
        this.offset = end;
        continue;
      }
      this.line -= 1;
      const row = this.nextRow();
      if (row) this.take(row);
    }
  }

  /** The next line as a row; undefined when it is empty, or refused. */
  private nextRow(): FileRow | undefined {
    const end = this.piece.indexOf(NEWLINE, this.offset);
    const content = lineText(this.piece, this.offset, end);
    this.offset = end + 1;
    this.line += 1;
    if (content === '') return undefined;
    try {
      return rowOf(content, this.line, this.facts.format);
    } catch (error) {
      this.report.rows += 1;
      this.refuse(this.line, error);
      return undefined;
    }
  }

  /** The long way. A row counts as a whole: when one of its events is refused, none of them enters. */
  private take(row: FileRow): void {
    this.report.rows += 1;
    this.line = row.line;
    try {
      const inputs = this.facts.format.inputs(row.fields, row.at, this.context);
      for (const { type, data } of inputs) validateData(type, data);
      this.accept(row, inputs);
    } catch (error) {
      this.refuse(row.line, error);
    }
  }

  private accept(row: FileRow, inputs: readonly RecordedInput[]): void {
    const last = inputs[inputs.length - 1];
    if (last === undefined) return;
    const { format } = this.facts;
    if (format.kind === 'candles') this.acceptCandle(row, inputs, last);
    else if (format.kind === 'trades') this.acceptTrade(row, last);
    else if (!this.isRepeat(row, last)) this.now(last, 0);
  }

  private acceptCandle(row: FileRow, inputs: readonly RecordedInput[], last: RecordedInput): void {
    const symbol = this.symbolOf(row);
    if (symbol.at === row.at && symbol.last) return this.collapse(row, symbol.last, last);
    symbol.at = row.at;
    symbol.last = last;
    if (this.context.asTicks) {
      const [, open, high, low, close, volume] = last.identity as number[];
      const candle = { at: row.at, open, high, low, close, volume } as Parameters<typeof takeTicks>[0];
      takeTicks(candle, symbol, this.context, this);
    } else
      for (const input of inputs)
        if (input.phase === PHASE.barOpened) this.now(input, 0);
        else this.later(input);
  }

  private acceptTrade(row: FileRow, trade: RecordedInput): void {
    const { named } = this.symbolOf(row);
    const { price, size = 0, side = 'buy' } = trade.data as Extract<AnyEvent, { type: 'price.tick' }>['data'];
    const ordinal = this.ordinals.next(named.instrument, { at: row.at, price, size, side });
    this.now(trade.withOrdinal(ordinal), quoteOfTrade({ price, size }, named));
  }

  /** What is known of the symbol of a row that has been checked; from now on its plain rows go the short way. */
  private symbolOf({ fields }: FileRow): RowSymbol {
    const name = fields[1] ?? '';
    const symbols = this.plain?.symbols;
    const known = symbols?.get(name);
    if (known) return known;
    const named = this.context.resolve(this.context.origin.venue, name);
    const make = (bytes: Buffer): RowSymbol => ({
      ...{ bytes, named, at: Number.NaN, last: null, endedAt: Number.NaN, endedQuote: 0 },
    });
    return symbols ? symbols.add(name, make) : make(Buffer.alloc(0));
  }

  private isRepeat(row: FileRow, input: RecordedInput): boolean {
    if (row.at !== this.instant) {
      this.instant = row.at;
      this.seen.clear();
    }
    const key = this.facts.format.key(row.fields);
    const earlier = this.seen.get(key);
    if (earlier) this.collapse(row, earlier, input);
    else this.seen.set(key, input);
    return earlier !== undefined;
  }

  private collapse(row: FileRow, earlier: RecordedInput, input: RecordedInput): void {
    const values = earlier.identity.join();
    if (values === input.identity.join()) {
      this.report.repeats += 1;
      return;
    }
    this.report.conflicts += 1;
    const key = this.facts.format.key(row.fields);
    const message = `${key} came before at ${row.at} with other values: ${values.slice(0, 200)}`;
    this.onBad({ file: this.facts.path, line: row.line, rule: 'conflict', message });
  }

  private refuse(line: number, error: unknown): void {
    const { rule, message } = refusalOf(error);
    this.report.refused += 1;
    this.onBad({ file: this.facts.path, line, rule, message });
  }
}

/** The short way for the kinds of which there are millions of rows; others have only the long one. */
function plainRows(
  { format }: FileFacts,
  context: FormatContext,
  ordinals: TradeOrdinals,
  sink: RowSink,
): PlainRows | null {
  if (format.kind === 'candles') return new PlainCandles(context, sink);
  if (format.kind === 'trades') return new PlainTrades(context, ordinals, sink);
  return null;
}
