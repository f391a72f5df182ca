import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PartialVenueConfig, VenueState } from '@moon/backtesting';
import type { AccountSpec, SignedCancel, SignedOrder, VenueReport } from '@moon/kernel';
import { AppendFile } from './append-file';
import type { InputMemoryState } from './input-memory';
import { lockDirectory } from './lock';

/** One input of the venue as the journal keeps it. The configuration is an input like any other. */
export type VenueInput =
  | { k: 'config'; config: PartialVenueConfig }
  | { k: 'open'; spec: AccountSpec }
  | { k: 'market'; event: { id: string; type: string; occurredAt: number; data: unknown } }
  | { k: 'time'; ms: number }
  | { k: 'submit'; order: SignedOrder; rejectWith?: string }
  | { k: 'cancel'; request: SignedCancel };

/** The venue at one point of its journal. */
export interface VenueSnapshot {
  format: 1;
  /** How many inputs it stands for. */
  inputs: number;
  config: PartialVenueConfig;
  engine: VenueState;
  memory: InputMemoryState;
  /** Length of the report archive at this point. */
  archiveBytes: number;
}

const JOURNAL = /^journal-(\d+)\.ndjson$/;
const SNAPSHOT = /^snapshot-(\d+)\.json$/;
const ARCHIVE = 'reports.ndjson';
/** This many snapshots are kept, each with the journal that follows it. */
const KEPT_SNAPSHOTS = 2;

/**
 * The books of a venue on disk: a journal of its inputs, snapshots every so many of them, and an archive of all
 * reports. The venue is a pure function of its inputs, so snapshot + journal give back its exact state.
 */
export class DurableBooks {
  /** What had to be mended on opening, in sentences. */
  readonly notices: string[] = [];
  readonly snapshot: VenueSnapshot | null;
  private readonly unlock: () => void;
  private journal: AppendFile;
  private archive: AppendFile;
  private inputs: number;
  /** Reports since the snapshot: the journal brings them back, so they go to the archive with the next one. */
  private fresh: VenueReport[] = [];

  /** @throws Error when the folder is in use, cannot be written, or a journal is damaged before its end */
  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true });
    this.unlock = lockDirectory(directory);
    try {
      this.snapshot = this.newestSnapshot();
      this.inputs = this.snapshot?.inputs ?? 0;
      this.cutArchive(this.snapshot?.archiveBytes ?? 0);
      this.archive = new AppendFile(join(directory, ARCHIVE));
      this.mendTail();
      const newest = Math.max(this.inputs, ...this.numbers(JOURNAL));
      this.journal = new AppendFile(this.path(`journal-${newest}.ndjson`));
    } catch (error) {
      this.unlock();
      throw error;
    }
  }

  /** The inputs after the snapshot, in their order. To be read before the first `write`. */
  *replay(): IterableIterator<VenueInput> {
    for (const start of this.numbers(JOURNAL).filter((number) => number >= this.inputs)) {
      const name = `journal-${start}.ndjson`;
      const lines = readFileSync(this.path(name), 'utf8').split('\n');
      lines.pop();
      for (const [index, line] of lines.entries()) {
        yield parse(line, name, index + 1);
        this.inputs += 1;
      }
    }
  }

  /** Writes an input before it is handled. @param isCritical flushed to the disk as well */
  write(input: VenueInput, isCritical: boolean): void {
    this.journal.append(JSON.stringify(input));
    if (isCritical) this.journal.flush();
    this.inputs += 1;
  }

  /** Keeps reports for good. */
  keep(reports: readonly VenueReport[]): void {
    this.fresh.push(...reports);
  }

  /** All reports of a portfolio above a number, as far back as there are any. */
  archived(portfolio: string, venueSeq: number): VenueReport[] {
    const lines = readFileSync(this.archive.path, 'utf8').split('\n');
    lines.pop();
    const stored = lines.map((line) => JSON.parse(line) as VenueReport);
    return [...stored, ...this.fresh].filter((report) => report.portfolio === portfolio && report.venueSeq > venueSeq);
  }

  /** Puts a snapshot beside the journal, whole or not at all, and begins a new journal. */
  save(state: Pick<VenueSnapshot, 'config' | 'engine' | 'memory'>): void {
    if (this.fresh.length > 0) this.archive.append(this.fresh.map((report) => JSON.stringify(report)).join('\n'));
    this.fresh = [];
    this.archive.flush();
    this.journal.flush();
    const snapshot: VenueSnapshot = { format: 1, inputs: this.inputs, ...state, archiveBytes: this.archive.length };
    const draft = this.path('snapshot.draft');
    writeFileSync(draft, JSON.stringify(snapshot), { flush: true });
    renameSync(draft, this.path(`snapshot-${this.inputs}.json`));
    if (!this.journal.path.endsWith(`journal-${this.inputs}.ndjson`)) {
      this.journal.close();
      this.journal = new AppendFile(this.path(`journal-${this.inputs}.ndjson`));
    }
    this.flushDirectory();
    this.prune();
  }

  close(): void {
    this.journal.close();
    this.archive.close();
    this.unlock();
  }

  private newestSnapshot(): VenueSnapshot | null {
    const newest = this.numbers(SNAPSHOT).at(-1);
    if (newest === undefined) return null;
    const name = `snapshot-${newest}.json`;
    const snapshot = JSON.parse(readFileSync(this.path(name), 'utf8')) as VenueSnapshot;
    if (snapshot.format !== 1) {
      throw new Error(`${this.path(name)} has format ${String(snapshot.format)}; this version reads format 1.`);
    }
    return snapshot;
  }

  /** Reports after the snapshot come back from the journal. */
  private cutArchive(length: number): void {
    const path = this.path(ARCHIVE);
    const present = existsSync(path) ? statSync(path).size : 0;
    if (present < length)
      throw new Error(`${path} has ${present} bytes, the snapshot counts on ${length}. Restore the file from a copy.`);
    if (present > length) truncateSync(path, length);
  }

  /** A write that was cut off leaves half a line at the end of the newest journal: it never counted, nobody got an answer. */
  private mendTail(): void {
    const newest = this.numbers(JOURNAL).at(-1);
    if (newest === undefined) return;
    const path = this.path(`journal-${newest}.ndjson`);
    const bytes = readFileSync(path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end === bytes.length) return;
    truncateSync(path, end);
    this.notices.push(`${path} ended in ${bytes.length - end} bytes of an unfinished line; they were removed.`);
  }

  private prune(): void {
    const oldest = this.numbers(SNAPSHOT).at(-KEPT_SNAPSHOTS);
    if (oldest === undefined) return;
    for (const [pattern, name] of [
      [JOURNAL, (number: number) => `journal-${number}.ndjson`],
      [SNAPSHOT, (number: number) => `snapshot-${number}.json`],
    ] as const) {
      for (const number of this.numbers(pattern)) if (number < oldest) rmSync(this.path(name(number)));
    }
  }

  private flushDirectory(): void {
    const descriptor = openSync(this.directory, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  private numbers(pattern: RegExp): number[] {
    const numbers = readdirSync(this.directory).flatMap((name) => {
      const found = pattern.exec(name)?.[1];
      return found === undefined ? [] : [Number(found)];
    });
    return numbers.sort((a, b) => a - b);
  }

  private path(name: string): string {
    return join(this.directory, name);
  }
}

function parse(line: string, name: string, number: number): VenueInput {
  try {
    return JSON.parse(line) as VenueInput;
  } catch (error) {
    throw new Error(
      `${name} is damaged in line ${number}: ${(error as Error).message}. Restore the file from a copy.`,
      { cause: error },
    );
  }
}
