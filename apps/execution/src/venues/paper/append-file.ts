import { closeSync, fsyncSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';

/**
 * A file that only grows, by whole lines, each with one unbuffered write. What was written is there after `kill -9` of
 * this process; what was flushed is there after a power cut too.
 */
export class AppendFile {
  private readonly descriptor: number;
  private size: number;
  private isBroken = false;

  constructor(readonly path: string) {
    this.descriptor = openSync(path, 'a');
    this.size = statSync(path).size;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.size;
  }

  /**
   * Writes one line (or several, parted by line ends) whole or not at all.
   *
   * @throws Error when it could not be written; the file is then as before. Should that fail too, every later write fails.
   */
  append(line: string): void {
    if (this.isBroken) throw new Error(`${this.path} could not be mended after a failed write; it takes no more.`);
    const bytes = Buffer.from(`${line}\n`);
    try {
      const written = writeSync(this.descriptor, bytes);
      if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes were written`);
    } catch (error) {
      this.takeBack();
      throw new Error(`${this.path} could not be written: ${(error as Error).message}`, { cause: error });
    }
    this.size += bytes.length;
  }

  flush(): void {
    fsyncSync(this.descriptor);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private takeBack(): void {
    try {
      ftruncateSync(this.descriptor, this.size);
    } catch (error) {
      this.isBroken = true;
      throw new Error(`${this.path} holds half a line that could not be removed: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
