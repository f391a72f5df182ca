import { createHash } from 'node:crypto';
import { formatOf, RowRefused, type FileFormat } from './formats';
import { lineText, NEWLINE, readPieces, UnreadableFile } from './pieces';
import { stampAt, SymbolTable } from './plain-fields';
import { rowOf, splitLine } from './row-reader';

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

/** Rows from which the length of a candle is told. */
const INTERVAL_ROWS = 5_000;
const COMMA = 0x2c;
const QUOTE = 0x22;
/** Digits of a plain time stamp and its comma. */
const STAMP_LENGTH = 14;

/**
 * Reads the header and every time stamp of a file: what it is, whether it is in order, and its fingerprint.
 * @throws UnreadableFile
 */
export async function inspectFile(path: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  let survey: Survey | undefined;
  for await (const bytes of readPieces(path, { hash, linesRead: () => survey?.lines ?? 0 })) {
    let start = 0;
    if (!survey) {
      start = bytes.indexOf(NEWLINE) + 1;
      survey = new Survey(headerFormat(path, lineText(bytes, 0, start - 1)));
    }
    survey.take(bytes, start);
  }
  if (!survey) throw new UnreadableFile(`${path} is empty: a header line is expected.`);
  return { path, format: survey.format, sha256: hash.digest('hex'), ...survey.result() };
}

/** The beginning of a text that may be anything: what would steer a terminal is shown as a dot. */
function printable(text: string): string {
  return text.slice(0, 120).replace(/[\p{C}\uFFFD]/gu, '·');
}

function headerFormat(path: string, header: string): FileFormat {
  const format = formatOf(splitLine(header));
  if (format) return format;
  throw new UnreadableFile(
    `${path} starts with "${printable(header)}": no known header. See README, "Files that it reads".`,
  );
}

interface SurveyedSymbol {
  bytes: Buffer;
  /** In a row up to the end of its bytes; NaN, which is never what is expected, when it has quotes. */
  commas: number;
  lastAt: number;
}

function surveyed(bytes: Buffer, lastAt: number): SurveyedSymbol {
  const commas = 1 + bytes.filter((byte) => byte === COMMA).length;
  return { bytes, commas: bytes.includes(QUOTE) ? Number.NaN : commas, lastAt };
}

/** What the time stamps and symbols of a file tell; what else is in its rows is not looked at where they are plain. */
class Survey {
  /** The header is one. */
  lines = 1;
  private rows = 0;
  private firstAt = Number.POSITIVE_INFINITY;
  private lastAt = Number.NEGATIVE_INFINITY;
  private intervalMs: number | null = null;
  private isSorted = true;
  private readonly symbols = new SymbolTable<SurveyedSymbol>();

  /** In a row of this format. */
  private readonly commas: number;

  constructor(readonly format: FileFormat) {
    this.commas = format.columns.length - 1;
  }

  take(bytes: Buffer, from: number): void {
    for (let start = from; start < bytes.length;) {
      this.lines += 1;
      const at = stampAt(bytes, start);
      const symbol = at < 0 ? undefined : this.symbols.at(bytes, start + STAMP_LENGTH);
      // What was compared with the symbol's bytes need not be looked at again.
      let end = symbol === undefined ? start : start + STAMP_LENGTH + symbol.bytes.length;
      let commas = symbol === undefined ? 0 : symbol.commas;
      let isQuoted = false;
      for (let byte = bytes[end]!; byte !== NEWLINE; byte = bytes[(end += 1)]!) {
        // Digits, points and letters come behind all that is looked for.
        if (byte > COMMA) continue;
        if (byte === COMMA) commas += 1;
        else if (byte === QUOTE) isQuoted = true;
      }
      if (symbol !== undefined && !isQuoted && commas === this.commas) this.note(at, symbol);
      else this.takeUnusual(bytes, start, end);
      start = end + 1;
    }
  }

  result(): Omit<FileFacts, 'path' | 'format' | 'sha256'> {
    const { rows, firstAt, lastAt, intervalMs, isSorted } = this;
    return { rows, firstAt, lastAt, intervalMs, isSorted, symbols: this.symbols.names };
  }

  private note(at: number, symbol: SurveyedSymbol): void {
    this.rows += 1;
    if (at < this.lastAt) this.isSorted = false;
    if (at < this.firstAt) this.firstAt = at;
    if (at > this.lastAt) this.lastAt = at;
    if (this.rows > INTERVAL_ROWS) return;
    const gap = at - symbol.lastAt;
    if (gap > 0 && (this.intervalMs === null || gap < this.intervalMs)) this.intervalMs = gap;
    symbol.lastAt = at;
  }

  /** A line with a new symbol, with quotes, or that is no row; a row that is refused says nothing about the others. */
  private takeUnusual(bytes: Buffer, start: number, end: number): void {
    const content = lineText(bytes, start, end);
    if (content === '') return;
    try {
      const { fields, at } = rowOf(content, this.lines, this.format);
      const name = fields[1] ?? '';
      this.note(at, this.symbols.get(name) ?? this.symbols.add(name, (key) => surveyed(key, at)));
    } catch (error) {
      if (!(error instanceof RowRefused)) throw error;
      this.rows += 1;
    }
  }
}
