import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UnreadableFile } from '../pieces';

const CHUNK = 256 * 1024;
/** A snapshot of 1,000 levels a side has some 40,000 characters; beyond this a line is no message of a known feed. */
export const MAX_RAW_LINE = 4_000_000;

/**
 * The lines of a recorded feed in batches, gunzipped when the name ends in .gz, and at the end the SHA-256 of the file
 * as it is.
 * @throws UnreadableFile that says how far it could be read
 */
export async function* readRawLines(path: string): AsyncGenerator<string[], string> {
  const hash = createHash('sha256');
  const file = createReadStream(path, { highWaterMark: CHUNK });
  file.on('data', (bytes) => hash.update(bytes));
  // The error reaches the loop below, which reads the end of the pipe.
  const input = path.endsWith('.gz') ? pipeline(file, createGunzip({ chunkSize: CHUNK }), () => undefined) : file;
  input.setEncoding('utf8');
  let rest = '';
  let lines = 0;
  try {
    for await (const chunk of input) {
      const batch = (rest + String(chunk)).split('\n');
      rest = (batch.pop() ?? '').slice(0, MAX_RAW_LINE);
      lines += batch.length;
      yield batch;
    }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UnreadableFile(`${path} is not there.`);
    throw new UnreadableFile(
      `${path} cannot be read beyond line ${lines}: ${message}. Is it cut off, or no gzip file in spite of its name?`,
    );
  }
  if (rest !== '') yield [rest];
  return hash.digest('hex');
}

/** What every line of a recorded feed begins with: a local time in nanoseconds, and the message's object. */
const RAW_LINE = /^\d{16,20} \{/;

/** Whether a file is a recorded feed, told by its first line. @throws UnreadableFile when it is not there */
export async function isRawRecording(path: string): Promise<boolean> {
  for await (const [first] of readRawLines(path)) if (first !== undefined) return RAW_LINE.test(first);
  return false;
}
