import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { FIRST_MS, formatOf, LAST_MS, RowRefused, type FileFormat } from './formats';

/** One row of a file; `position` counts usable rows from 0, `line` lines from 1. */
export interface FileRow {
  fields: readonly string[];
  at: number;
  line: number;
  position: number;
}

/** A file that is not there, is cut off, or is of no known kind; the message names it. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

export interface BadRow {
  file: string;
  line: number;
  rule: string;
  message: string;
}

/** What a first pass over a file finds out. */
export interface FileFacts {
  path: string;
  format: FileFormat;
  /** SHA-256 of the file as it is. */
  sha256: string;
  /** Lines below the header that are not empty. */
  rows: number;
  /** First and last usable time stamp, ms; Infinity and −Infinity in a file without any. */
  firstAt: number;
  lastAt: number;
  /** Shortest distance between two rows of one symbol, ms; null below two rows. */
  intervalMs: number | null;
  isSorted: boolean;
  /** Symbols in the order of their first row. */
  symbols: readonly string[];
}

/** Bytes that are unpacked at a time. */
const CHUNK = 64 * 1024;
/** A longer line is no row of any known file; its end is not even read. In UTF-16 units. */
const MAX_LINE = 1_000_000;
/** Few enough that what is made of them dies young: garbage that survives a collection is what costs. */
const ROWS_A_BATCH = 128;
/** Rows from which the length of a candle is told. */
const INTERVAL_ROWS = 5_000;

/**
 * Reads a text file, gunzipped when its name ends in .gz, in batches of whole lines without their ends.
 *
 * @param hash is fed with the bytes of the file as it is
 * @throws UnreadableFile that says how far it could be read
 */
async function* readLines(path: string, hash?: Hash): AsyncGenerator<string[]> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  if (hash) file.on('data', (bytes) => hash.update(bytes));
  // The error reaches the loop below, which reads the end of the pipe.
  const input = path.endsWith('.gz') ? pipeline(file, createGunzip({ chunkSize: CHUNK }), () => undefined) : file;
  input.setEncoding('utf8');
  let rest = '';
  let lines = 0;
  try {
    for await (const chunk of input) {
      const batch = (rest + String(chunk)).split('\n');
      rest = (batch.pop() ?? '').slice(0, MAX_LINE);
      lines += batch.length;
      yield batch.map(withoutReturn);
    }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UnreadableFile(`${path} is not there.`);
    throw new UnreadableFile(
      `${path} cannot be read beyond line ${lines}: ${message}. Is it cut off, or no gzip file in spite of its name?`,
    );
  }
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Fields of one line; quotes as in RFC 4180, but a field ends with its line. */
export function splitLine(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const [fields] = parse(line, { relax_column_count: true, relax_quotes: true });
  return fields ?? [];
}

/**
 * Reads the header and every time stamp of a file: what it is, whether it is in order, and its fingerprint.
 * @throws UnreadableFile
 */
export async function inspectFile(path: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  const survey = new Survey();
  let format: FileFormat | undefined;
  for await (const lines of readLines(path, hash)) {
    let first = 0;
    if (!format) {
      const header = lines[0];
      if (header === undefined) continue;
      format = formatOf(splitLine(header));
      if (!format)
        throw new UnreadableFile(
          `${path} starts with "${header.slice(0, 120)}": no known header. See README, "Files that it reads".`,
        );
      first = 1;
    }
    for (let index = first; index < lines.length; index += 1) survey.take(lines[index] ?? '');
  }
  if (!format) throw new UnreadableFile(`${path} is empty: a header line is expected.`);
  return { path, format, sha256: hash.digest('hex'), ...survey.result() };
}

/** What the time stamps and symbols of a file tell; what else is in its rows is not looked at. */
class Survey {
  private rows = 0;
  private firstAt = Number.POSITIVE_INFINITY;
  private lastAt = Number.NEGATIVE_INFINITY;
  private intervalMs: number | null = null;
  private isSorted = true;
  private readonly symbols = new Set<string>();
  private readonly lastOfSymbol = new Map<string, number>();

  take(line: string): void {
    if (line === '') return;
    this.rows += 1;
    const end = line.indexOf(',');
    const at = Number(line.slice(0, end));
    if (!isPlausible(at)) return;
    if (at < this.lastAt) this.isSorted = false;
    this.firstAt = Math.min(this.firstAt, at);
    this.lastAt = Math.max(this.lastAt, at);
    const symbol = line.slice(end + 1, line.indexOf(',', end + 1));
    this.symbols.add(symbol);
    if (this.rows > INTERVAL_ROWS) return;
    const gap = at - (this.lastOfSymbol.get(symbol) ?? at);
    if (gap > 0 && (this.intervalMs === null || gap < this.intervalMs)) this.intervalMs = gap;
    this.lastOfSymbol.set(symbol, at);
  }

  result(): Omit<FileFacts, 'path' | 'format' | 'sha256'> {
    const { rows, firstAt, lastAt, intervalMs, isSorted } = this;
    return { rows, firstAt, lastAt, intervalMs, isSorted, symbols: [...this.symbols] };
  }
}

/** A stamp outside is refused with its row, and says nothing about the order of the others. */
function isPlausible(at: number): boolean {
  return Number.isSafeInteger(at) && at >= FIRST_MS && at <= LAST_MS;
}

/** Rows of a file in the order of time, then of the file, in batches; a row without a usable time stamp is reported and passed over. */
export async function* readRows(facts: FileFacts, onBad: (bad: BadRow) => void): AsyncGenerator<FileRow[]> {
  if (facts.isSorted) {
    yield* rowsInFileOrder(facts, onBad);
    return;
  }
  const rows: FileRow[] = [];
  for await (const batch of rowsInFileOrder(facts, onBad)) for (const row of batch) rows.push(row);
  rows.sort((a, b) => a.at - b.at || a.position - b.position);
  for (let from = 0; from < rows.length; from += ROWS_A_BATCH) yield rows.slice(from, from + ROWS_A_BATCH);
}

async function* rowsInFileOrder(facts: FileFacts, onBad: (bad: BadRow) => void): AsyncGenerator<FileRow[]> {
  let line = 0;
  let position = 0;
  for await (const lines of readLines(facts.path)) {
    let rows: FileRow[] = [];
    for (const content of lines) {
      if (rows.length >= ROWS_A_BATCH) {
        yield rows;
        rows = [];
      }
      line += 1;
      if (line === 1 || content === '') continue;
      try {
        const fields = rowFields(content, facts.format);
        rows.push({ fields, at: stampOf(fields[0] ?? ''), line, position });
        position += 1;
      } catch (error) {
        onBad({ file: facts.path, line, ...refusalOf(error) });
      }
    }
    yield rows;
  }
}

function rowFields(content: string, { columns }: FileFormat): readonly string[] {
  if (content.length >= MAX_LINE) throw new RowRefused('line_too_long', `the line has ${MAX_LINE} characters or more`);
  const fields = fieldsOf(content);
  if (fields.length !== columns.length) {
    throw new RowRefused(
      'column_count',
      `${fields.length} fields where ${columns.length} are expected (${columns.join(', ')})`,
    );
  }
  return fields;
}

function fieldsOf(content: string): readonly string[] {
  try {
    return splitLine(content);
  } catch (error) {
    throw new RowRefused('bad_quotes', `the line is no CSV: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Milliseconds from 2010 on to 2100 have thirteen digits; these begin with 13 to 39. */
const PLAIN_STAMP = /^(?:1[3-9]|[23]\d)\d{11}$/;

function stampOf(value: string): number {
  if (PLAIN_STAMP.test(value)) return Number(value);
  const shown = value.slice(0, 40);
  if (!/^-?\d{1,20}$/.test(value))
    throw new RowRefused('bad_timestamp', `timestamp_ms "${shown}" is not a whole number of milliseconds`);
  const at = Number(value);
  if (isPlausible(at)) return at;
  if (isPlausible(at * 1_000))
    throw new RowRefused('timestamp_unit', `timestamp_ms ${shown} looks like seconds; milliseconds are expected`);
  if (isPlausible(Math.round(at / 1_000))) {
    throw new RowRefused('timestamp_unit', `timestamp_ms ${shown} looks like microseconds; milliseconds are expected`);
  }
  throw new RowRefused('bad_timestamp', `timestamp_ms ${shown} does not lie between 2010 and 2100`);
}

/** The reason of a refused row, whoever refused it. */
export function refusalOf(error: unknown): { rule: string; message: string } {
  if (error instanceof RowRefused) return { rule: error.rule, message: error.message };
  const { rule, message } = error as { rule?: unknown; message?: unknown };
  if (typeof rule === 'string' && typeof message === 'string') return { rule, message };
  throw error;
}
