import { parse } from 'csv-parse/sync';
import { FIRST_MS, LAST_MS, RowRefused, type FileFormat } from './formats';
import { MAX_LINE } from './pieces';

/** One row of a file; `line` counts lines from 1. */
export interface FileRow {
  fields: readonly string[];
  at: number;
  line: number;
}

export interface BadRow {
  file: string;
  line: number;
  rule: string;
  message: string;
}

/** Fields of one line; quotes as in RFC 4180, but a field ends with its line. */
export function splitLine(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const [fields] = parse(line, { relax_column_count: true, relax_quotes: true });
  return fields ?? [];
}

/** @throws RowRefused for a line without the right columns or a usable time stamp */
export function rowOf(content: string, line: number, format: FileFormat): FileRow {
  const fields = rowFields(content, format);
  return { fields, at: stampOf(fields[0] ?? ''), line };
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
    // The parser sees one line at a time, so its own line number would mislead.
    const reason = (error instanceof Error ? error.message : String(error)).replace(/ at line 1\b/, '');
    throw new RowRefused('bad_quotes', `the line is no CSV: ${reason}`);
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

function isPlausible(at: number): boolean {
  return Number.isSafeInteger(at) && at >= FIRST_MS && at <= LAST_MS;
}

/** The reason of a refused row, whoever refused it. */
export function refusalOf(error: unknown): { rule: string; message: string } {
  if (error instanceof RowRefused) return { rule: error.rule, message: error.message };
  const { rule, message } = error as { rule?: unknown; message?: unknown };
  if (typeof rule === 'string' && typeof message === 'string') return { rule, message };
  throw error;
}
