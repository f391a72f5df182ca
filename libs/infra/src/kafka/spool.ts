import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { AnyEvent } from '@moon/events';

export interface SpoolOptions {
  directory: string;
  /** Above it the spool is full: whoever feeds it is to pause. Default 256 MiB. */
  maxBytes?: number;
  /** A segment is closed above it. Default 4 MiB. */
  segmentBytes?: number;
  /** One line about what could not be read back: a record that was cut off by a crash was never acknowledged. */
  onDropped?: (problem: string) => void;
}

/** The oldest segment: read as a whole, removed when all of it is on the broker. */
export interface SpoolSegment {
  events: readonly AnyEvent[];
  remove: () => Promise<void>;
}

interface Segment {
  path: string;
  bytes: number;
  count: number;
}

const NAME = /^\d{12}\.spool$/;

/**
 * Events on disk, in order, each on a line of its own: length, checksum, JSON. A line counts when it is whole and its file
 * was synced; `append` resolves only then. What a crash cut off is dropped: nobody was told that it is safe.
 */
export class Spool {
  private readonly segments: Segment[] = [];
  private active: { handle: FileHandle; segment: Segment } | null = null;
  private nextNumber = 1;
  private chain: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: SpoolOptions) {}

  /** Opens what an earlier process left. `visit` sees every event of it. */
  static async open(options: SpoolOptions, visit: (event: AnyEvent) => void): Promise<Spool> {
    const spool = new Spool(options);
    await mkdir(options.directory, { recursive: true });
    const names = (await readdir(options.directory)).filter((name) => NAME.test(name)).sort();
    for (const name of names) {
      const path = join(options.directory, name);
      spool.nextNumber = Number(name.slice(0, 12)) + 1;
      const { events, goodBytes } = await spool.read(path, true);
      for (const event of events) visit(event);
      if (events.length === 0) await rm(path);
      else spool.segments.push({ path, bytes: goodBytes, count: events.length });
    }
    return spool;
  }

  get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Events that are not known to be on the broker. */
  get size(): number {
    return this.segments.reduce((sum, { count }) => sum + count, 0);
  }

  get isFull(): boolean {
    return this.bytes >= (this.options.maxBytes ?? 268_435_456);
  }

  /** Resolves when they are on the disk. @throws Error the disk is full or broken; then none of them counts */
  append(events: readonly AnyEvent[]): Promise<void> {
    return this.next(async () => {
      const { handle, segment } = await this.writable();
      const bytes = Buffer.concat(events.map(lineOf));
      try {
        await handle.write(bytes, 0, bytes.length, segment.bytes);
        await handle.datasync();
      } catch (error) {
        // Half a line may be there: the next one starts in its place.
        await handle.truncate(segment.bytes).catch(() => undefined);
        throw error;
      }
      segment.bytes += bytes.length;
      segment.count += events.length;
      if (segment.bytes >= (this.options.segmentBytes ?? 4_194_304)) await this.closeActive();
    });
  }

  /** The oldest segment, closed for writing; null when nothing is spooled. */
  head(): Promise<SpoolSegment | null> {
    return this.next(async () => {
      const [segment] = this.segments;
      if (segment === undefined || segment.count === 0) return null;
      if (this.active?.segment === segment) await this.closeActive();
      const { events } = await this.read(segment.path, false);
      return {
        events,
        remove: () =>
          this.next(async () => {
            await rm(segment.path, { force: true });
            this.segments.splice(this.segments.indexOf(segment), 1);
          }),
      };
    });
  }

  close(): Promise<void> {
    return this.next(() => this.closeActive());
  }

  /** One thing at a time, in the order of the calls. */
  private next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.chain.then(work);
    this.chain = done.catch(() => undefined);
    return done;
  }

  private async writable(): Promise<{ handle: FileHandle; segment: Segment }> {
    if (this.active !== null) return this.active;
    const path = join(this.options.directory, `${String(this.nextNumber).padStart(12, '0')}.spool`);
    const handle = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    this.nextNumber += 1;
    // The name of a new file is safe only when its folder is.
    const folder = await open(this.options.directory, 'r');
    await folder.sync();
    await folder.close();
    const segment = { path, bytes: 0, count: 0 };
    this.segments.push(segment);
    this.active = { handle, segment };
    return this.active;
  }

  private async closeActive(): Promise<void> {
    const { active } = this;
    this.active = null;
    if (active === null) return;
    await active.handle.close();
    if (active.segment.count > 0) return;
    this.segments.splice(this.segments.indexOf(active.segment), 1);
    await rm(active.segment.path, { force: true });
  }

  private async read(path: string, isRepairing: boolean): Promise<{ events: AnyEvent[]; goodBytes: number }> {
    const content = await readFile(path);
    const events: AnyEvent[] = [];
    let at = 0;
    while (at < content.length) {
      const line = lineAt(content, at);
      if (line === null) break;
      events.push(line.event);
      at = line.end;
    }
    if (isRepairing && at < content.length) {
      this.options.onDropped?.(
        `${path}: ${content.length - at} bytes behind event ${events.length} were cut off or damaged, and are dropped.`,
      );
      await truncate(path, at);
    }
    return { events, goodBytes: at };
  }
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
const HEAD_LENGTH = '00000000 00000000 '.length;

function lineOf(event: AnyEvent): Buffer {
  const body = Buffer.from(JSON.stringify(event));
  return Buffer.concat([Buffer.from(`${hex(body.length)} ${hex(crc32(body))} `), body, Buffer.from('\n')]);
}

/** The line that starts there; null when it is not whole. */
function lineAt(content: Buffer, at: number): { event: AnyEvent; end: number } | null {
  const head = /^([0-9a-f]{8}) ([0-9a-f]{8}) $/.exec(content.toString('latin1', at, at + HEAD_LENGTH));
  if (head === null) return null;
  const end = at + HEAD_LENGTH + parseInt(head[1]!, 16);
  const body = content.subarray(at + HEAD_LENGTH, end);
  if (end >= content.length || content[end] !== 0x0a || hex(crc32(body)) !== head[2]) return null;
  return { event: JSON.parse(body.toString('utf8')) as AnyEvent, end: end + 1 };
}
