import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { AnyEvent } from '@moon/events';

export interface SpoolOptions {
  directory: string;
  /** Above it the spool is full: whoever feeds it is to pause. Default 256 MiB. */
  maxBytes?: number;
  /** A segment is closed above it. Default 4 MiB. */
  segmentBytes?: number;
  /** What orders an event; default its key. Segments say how many of each they hold. */
  nameOf?: (event: AnyEvent) => string;
  /** One line about what could not be read back: a record that was cut off by a crash was never acknowledged. */
  onDropped?: (problem: string) => void;
}

/** The oldest segment: read as a whole, removed when all of it is on the broker. */
export interface SpoolSegment {
  /** What can be read, in order. */
  events: readonly AnyEvent[];
  /** How many events of each name were put into it, those that cannot be read any more among them. */
  names: ReadonlyMap<string, number>;
  /** One of which something could not be read is kept aside instead, under a name that says so. */
  remove: () => Promise<void>;
}

interface Segment {
  path: string;
  bytes: number;
  count: number;
  names: Map<string, number>;
}

const NAME = /^\d{12}\.spool$/;
/** Behind the name of a segment that is kept for people: no process reads it. */
const ASIDE = '.damaged';

/**
 * Events on disk, in order, each on a line of its own: length, checksum, JSON. A line counts when it is whole and its file
 * was synced; `append` resolves only then. What a crash cut off is dropped: nobody was told that it is safe.
 */
export class Spool {
  private readonly segments: Segment[] = [];
  private active: { handle: FileHandle; segment: Segment } | null = null;
  private nextNumber = 1;
  private chain: Promise<unknown> = Promise.resolve();
  private lostEvents = 0;

  private constructor(private readonly options: SpoolOptions) {}

  /** Opens what an earlier process left. `visit` sees every event of it. */
  static async open(options: SpoolOptions, visit: (event: AnyEvent) => void): Promise<Spool> {
    const spool = new Spool(options);
    await mkdir(options.directory, { recursive: true });
    const names = (await readdir(options.directory)).filter((name) => NAME.test(name)).sort();
    for (const name of names) {
      const path = join(options.directory, name);
      spool.nextNumber = Number(name.slice(0, 12)) + 1;
      const { events, goodBytes } = await spool.repaired(path);
      for (const event of events) visit(event);
      const segment = { path, bytes: goodBytes, count: 0, names: new Map<string, number>() };
      spool.note(segment, events);
      if (events.length === 0) await rm(path);
      else spool.segments.push(segment);
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

  /** Events that counted as safe, and could not be read back; of what an earlier process left, as many as lines end there. */
  get lost(): number {
    return this.lostEvents;
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
        await writeAll(handle, bytes, segment.bytes);
        await handle.datasync();
      } catch (error) {
        // Half a line may be there: the next one starts in its place.
        await handle.truncate(segment.bytes).catch(() => undefined);
        throw error;
      }
      segment.bytes += bytes.length;
      this.note(segment, events);
      if (segment.bytes >= (this.options.segmentBytes ?? 4_194_304)) await this.closeActive();
    });
  }

  /** The oldest segment, closed for writing; null when nothing is spooled. */
  head(): Promise<SpoolSegment | null> {
    return this.next(async () => {
      const [segment] = this.segments;
      if (segment === undefined || segment.count === 0) return null;
      if (this.active?.segment === segment) await this.closeActive();
      // Behind what counts, an append that failed may have left something.
      const { events } = eventsOf((await readFile(segment.path)).subarray(0, segment.bytes));
      const remove = (): Promise<void> => this.next(() => this.remove(segment, events.length));
      return { events, names: segment.names, remove };
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
    const segment = { path, bytes: 0, count: 0, names: new Map<string, number>() };
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

  private async remove(segment: Segment, readable: number): Promise<void> {
    const { path, count } = segment;
    if (readable === count) await rm(path, { force: true });
    else {
      await rename(path, path + ASIDE);
      this.lostEvents += count - readable;
      this.options.onDropped?.(
        `${path}: ${count - readable} of ${count} events, all behind event ${readable}, cannot be read back; the file is kept as ${path}${ASIDE}.`,
      );
    }
    this.segments.splice(this.segments.indexOf(segment), 1);
  }

  private note(segment: Segment, events: readonly AnyEvent[]): void {
    const { nameOf = ({ key }) => key } = this.options;
    segment.count += events.length;
    for (const event of events) {
      const name = nameOf(event);
      segment.names.set(name, (segment.names.get(name) ?? 0) + 1);
    }
  }

  /** What an earlier process left, cut off behind the last whole line. */
  private async repaired(path: string): Promise<{ events: AnyEvent[]; goodBytes: number }> {
    const content = await readFile(path);
    const { events, goodBytes } = eventsOf(content);
    if (goodBytes === content.length) return { events, goodBytes };
    // A crash cuts the last line off. Where more lines follow, something was damaged that counted as safe.
    const lines = content.subarray(goodBytes).reduce((sum, byte) => sum + Number(byte === LINE_END), 0);
    const isKept = lines > 0;
    if (isKept) await copyFile(path, path + ASIDE);
    this.lostEvents += lines;
    this.options.onDropped?.(
      `${path}: ${content.length - goodBytes} bytes behind event ${events.length} were cut off or damaged, and are dropped${isKept ? `; the file as it was is kept as ${path}${ASIDE}` : ''}.`,
    );
    await truncate(path, goodBytes);
    return { events, goodBytes };
  }
}

/** @throws Error the disk is full or broken: it may take a part, and say so only when it is given the rest */
async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    if (bytesWritten === 0) throw new Error(`The disk took ${at} of ${bytes.length} bytes.`);
    at += bytesWritten;
  }
}

/** The whole lines from the beginning on. */
function eventsOf(content: Buffer): { events: AnyEvent[]; goodBytes: number } {
  const events: AnyEvent[] = [];
  let at = 0;
  for (let line = lineAt(content, at); line !== null; line = lineAt(content, at)) {
    events.push(line.event);
    at = line.end;
  }
  return { events, goodBytes: at };
}

const LINE_END = 0x0a;
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
  if (end >= content.length || content[end] !== LINE_END || hex(crc32(body)) !== head[2]) return null;
  return { event: JSON.parse(body.toString('utf8')) as AnyEvent, end: end + 1 };
}
