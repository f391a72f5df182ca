import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { batchOf, entriesText, type KeptBatch, type LocalJournal, type LogRow } from '@moon/kernel';

interface Line {
  afterSeq: number;
  toSeq: number;
  publishedSeq: number;
  /** JSON text, as the store has it. */
  entries: string;
  rows: LogRow[];
}

/**
 * One shard's local journal: a file of lines, each a checksum and JSON, synced before `keep` resolves. A last line that a
 * crash cut off was never acted upon, and is left out; any other that does not parse stops the shard.
 */
export class LocalJournalFile implements LocalJournal {
  readonly path: string;

  /** @param directory on a disk that outlives the process; made when it is not there */
  constructor(
    private readonly directory: string,
    private readonly shard: string,
  ) {
    this.path = join(directory, `${shard.replaceAll(/[^\w.-]/g, '-')}.journal`);
  }

  keep(batches: readonly KeptBatch[]): Promise<void> {
    return this.append(
      batches.map(({ batch: { entries, ...batch }, rows }) => {
        return { ...batch, entries: entriesText(entries), rows: [...rows] };
      }),
    );
  }

  async read(): Promise<readonly KeptBatch[] | null> {
    const content = await readFile(this.path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    });
    if (content === null) return null;
    const texts = content.split('\n');
    // Behind the last line end: nothing, or what a crash cut off.
    texts.pop();
    if (texts.length === 0) return null;
    return texts.map((text, index) => {
      const { afterSeq, toSeq, publishedSeq, entries, rows } = this.parsed(text, index + 1);
      return { batch: batchOf(this.shard, { afterSeq, toSeq, publishedSeq, entries }), rows };
    });
  }

  async clear(): Promise<void> {
    await rm(this.path, { force: true });
    await this.syncFolder();
  }

  async setAside(): Promise<string> {
    const path = `${this.path}.left-over-${Date.now()}`;
    await rename(this.path, path);
    await this.syncFolder();
    return path;
  }

  private parsed(text: string, number: number): Line {
    const [checksum, body] = [text.slice(0, 8), text.slice(9)];
    if (checksumOf(body) === checksum) return JSON.parse(body) as Line;
    throw new Error(
      `${this.path}, line ${number}: its checksum is wrong. It says what shard ${this.shard} did while the store was away. ` +
        'Restore the file, or move it away: then compare the portfolios with the venue, which halts those that differ.',
    );
  }

  private async append(lines: readonly Line[]): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    const file = await open(this.path, constants.O_CREAT | constants.O_RDWR, 0o600);
    try {
      const end = await endOfLines(file);
      const bytes = Buffer.from(lines.map(lineOf).join(''));
      try {
        const { bytesWritten } = await file.write(bytes, 0, bytes.length, end);
        if (bytesWritten !== bytes.length)
          throw new Error(`${this.path}: the disk took ${bytesWritten} of ${bytes.length} bytes.`);
        await file.datasync();
      } catch (error) {
        // Half a line may be there: it must not stand in front of the next one.
        await file.truncate(end).catch(() => undefined);
        throw error;
      }
    } finally {
      await file.close();
    }
    // The name of a new file is safe only when its folder is.
    await this.syncFolder();
  }

  private async syncFolder(): Promise<void> {
    const folder = await open(this.directory, 'r').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    });
    if (folder === null) return;
    await folder.sync().finally(() => folder.close());
  }
}

/** Where the last whole line ends: what a crash left behind it is written over. */
async function endOfLines(file: Awaited<ReturnType<typeof open>>): Promise<number> {
  const content = await file.readFile();
  const end = content.lastIndexOf(0x0a) + 1;
  if (end < content.length) await file.truncate(end);
  return end;
}

function lineOf(line: Line): string {
  const body = JSON.stringify(line);
  return `${checksumOf(body)} ${body}\n`;
}

const checksumOf = (text: string): string => crc32(text).toString(16).padStart(8, '0');
