import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { formatOf, RowRefused, type FileFormat } from './formats';

/** One row of a file; `position` counts rows from 0, `line` lines from 1. */
export interface FileRow {
  fields: readonly string[];
  at: number;
  line: number;
  position: number;
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
  rows: number;
  firstAt: number;
  lastAt: number;
  /** Shortest distance between two rows of one symbol, ms; null below two rows. */
  intervalMs: number | null;
  isSorted: boolean;
  /** Symbols in the order of their first row. */
  symbols: readonly string[];
}

/** Opens a text file, gunzipped when its name ends in .gz, line by line. */
export function readLines(path: string): AsyncIterable<string> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => input.destroy(error));
  return createInterface({ input, crlfDelay: Infinity });
}

/** Fields of one line; quotes as in RFC 4180. */
export function splitLine(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const [fields] = parse(line, { relax_column_count: true, relax_quotes: true });
  return fields ?? [];
}

/** Reads the header and every time stamp of a file: what it is, whether it is in order, and its fingerprint. */
export async function inspectFile(path: string): Promise<FileFacts> {
  let format: FileFormat | undefined;
  let [rows, firstAt, lastAt, isSorted] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
  const lastOfSymbol = new Map<string, number>();
  const symbols = new Set<string>();
  let intervalMs: number | null = null;
  for await (const line of readLines(path)) {
    if (!format) {
      format = formatOf(splitLine(line));
      if (!format) throw new Error(`${path} starts with "${line.slice(0, 120)}": no known header. See README, "Files that it reads".`);
      continue;
    }
    if (line === '') continue;
    rows += 1;
    const end = line.indexOf(',');
    const at = Number(line.slice(0, end));
    if (!Number.isSafeInteger(at) || at <= 0) continue;
    if (at < lastAt) isSorted = false;
    firstAt = Math.min(firstAt, at);
    lastAt = Math.max(lastAt, at);
    const symbol = line.slice(end + 1, line.indexOf(',', end + 1));
    symbols.add(symbol);
    if (rows > 5_000) continue;
    const gap = at - (lastOfSymbol.get(symbol) ?? at);
    if (gap > 0 && (intervalMs === null || gap < intervalMs)) intervalMs = gap;
    lastOfSymbol.set(symbol, at);
  }
  if (!format) throw new Error(`${path} is empty: a header line is expected.`);
  return { path, format, sha256: await fileSha256(path), rows, firstAt, lastAt, intervalMs, isSorted, symbols: [...symbols] };
}

/** Rows of a file in the order of time, then of the file; a row without a usable time stamp is reported and passed over. */
export async function* readRows(facts: FileFacts, onBad: (bad: BadRow) => void): AsyncIterable<FileRow> {
  if (facts.isSorted) {
    yield* rowsInFileOrder(facts, onBad);
    return;
  }
  const rows: FileRow[] = [];
  for await (const row of rowsInFileOrder(facts, onBad)) rows.push(row);
  rows.sort((a, b) => a.at - b.at || a.position - b.position);
  yield* rows;
}

async function* rowsInFileOrder(facts: FileFacts, onBad: (bad: BadRow) => void): AsyncIterable<FileRow> {
  let line = 0;
  let position = 0;
  for await (const content of readLines(facts.path)) {
    line += 1;
    if (line === 1 || content === '') continue;
    const bad = (rule: string, message: string): void => onBad({ file: facts.path, line, rule, message });
    let fields: readonly string[];
    try {
      fields = splitLine(content);
    } catch (error) {
      bad('bad_quotes', `the line is no CSV: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    const { columns } = facts.format;
    if (fields.length !== columns.length) {
      bad('column_count', `${fields.length} fields where ${columns.length} are expected (${columns.join(', ')})`);
      continue;
    }
    const at = Number(fields[0]);
    if (!Number.isSafeInteger(at) || at <= 0) {
      bad('bad_timestamp', `timestamp_ms "${(fields[0] ?? '').slice(0, 40)}" is not a whole number of milliseconds`);
      continue;
    }
    yield { fields, at, line, position };
    position += 1;
  }
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The reason of a refused row, whoever refused it. */
export function refusalOf(error: unknown): { rule: string; message: string } {
  if (error instanceof RowRefused) return { rule: error.rule, message: error.message };
  const { rule, message } = error as { rule?: unknown; message?: unknown };
  if (typeof rule === 'string' && typeof message === 'string') return { rule, message };
  throw error;
}
