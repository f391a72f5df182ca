import type { LogRow } from './event-store';
import type { JournalBatch } from './journal';

/** A batch that a shard's journal could not take yet, with the rows of streams that belong to it. */
export interface KeptBatch {
  batch: JournalBatch;
  rows: readonly LogRow[];
}

/**
 * What a shard handled and could not store while its store was away, kept on this machine: only then may it do the little
 * that must not wait for the store. Whoever opens the shard next brings it into the journal before anything else.
 */
export interface LocalJournal {
  /** Resolves when they are on the disk for good. @throws Error the disk does not take them: then nothing may be done */
  keep(batches: readonly KeptBatch[]): Promise<void>;
  /** In their order, each following the one before; null when there are none. @throws Error what is there does not parse: which file, and what to do */
  read(): Promise<readonly KeptBatch[] | null>;
  /** The journal has all of it. */
  clear(): Promise<void>;
  /** Nobody can use it any more, but somebody may want to see it. @returns where it is now */
  setAside(): Promise<string>;
}
