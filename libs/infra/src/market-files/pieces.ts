import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A file that is not there, is cut off, or is of no known kind; the message names it. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

/** Bytes that are unpacked at a time, in the thread pool, while the piece before is being read. */
const CHUNK = 256 * 1024;
/** A longer line is no row of any known file; its end is not even read. In UTF-16 units. */
export const MAX_LINE = 1_000_000;
/** No line of so many bytes has less than MAX_LINE units. */
const MAX_LINE_BYTES = 3 * MAX_LINE;

export const NEWLINE = 0x0a;

export interface PieceOptions {
  /** Is fed with the bytes of the file as it is. */
  hash: Hash;
  /** Lines that the reader has seen, for the message when the file cannot be read on. */
  linesRead: () => number;
}

/**
 * Reads a text file, gunzipped when its name ends in .gz, in pieces of whole lines, each line ended by a newline.
 * @throws UnreadableFile that says how far it could be read
 */
export async function* readPieces(path: string, { hash, linesRead }: PieceOptions): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  file.on('data', (bytes) => hash.update(bytes));
  // The error reaches the loop below, which reads the end of the pipe.
  const input = path.endsWith('.gz') ? pipeline(file, createGunzip({ chunkSize: CHUNK }), () => undefined) : file;
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      rest = bytes.subarray(end, end + MAX_LINE_BYTES);
      if (end > 0) yield bytes.subarray(0, end);
    }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UnreadableFile(`${path} is not there.`);
    throw new UnreadableFile(
      `${path} cannot be read beyond line ${linesRead()}: ${message}. Is it cut off, or no gzip file in spite of its name?`,
    );
  }
  if (rest.length > 0) yield Buffer.concat([rest, Buffer.from([NEWLINE])]);
}

/** The text of a line without its end: `end` is the place of its newline. */
export function lineText(bytes: Buffer, start: number, end: number): string {
  const line = bytes.toString('utf8', start, end);
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
