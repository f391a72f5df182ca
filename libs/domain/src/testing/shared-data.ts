import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The folder with recorded market data and reference series: $MOON_SHARED, or `shared` beside the repository. */
const shared = process.env.MOON_SHARED ?? resolve(__dirname, '../../../../../shared');

/** Text of a file below `data/`, unpacked when its name ends in .gz. */
export function readShared(path: string): string {
  const file = join(shared, 'data', path);
  if (!existsSync(file)) throw new Error(`${file} is missing: set MOON_SHARED to the folder that holds data/.`);
  const bytes = readFileSync(file);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** Rows of a CSV file as objects by column name. Quotes are understood in the last column only, where the recordings have them. */
export function readSharedCsv(path: string): Record<string, string>[] {
  const lines = readShared(path)
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const columns = (lines.shift() ?? '').split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const last = cells
      .slice(columns.length - 1)
      .join(',')
      .replace(/^"|"$/g, '')
      .replaceAll('""', '"');
    return Object.fromEntries(columns.map((column, i) => [column, i === columns.length - 1 ? last : (cells[i] ?? '')]));
  });
}

export interface RecordedBar {
  symbol: string;
  openedAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** One-minute candles of a recorded file, in file order; stamps are bar opens. */
export function readSharedCandles(path: string): RecordedBar[] {
  return readSharedCsv(path).map((row) => ({
    symbol: row.symbol ?? '',
    openedAt: Number(row.timestamp_ms),
    open: Number(row.open),
    high: Number(row.high),
    low: Number(row.low),
    close: Number(row.close),
    volume: Number(row.volume),
  }));
}
