import { idOf, IdTable, parseId, WORDS } from './id-table';

/** Ids as a checkpoint keeps them: UUIDs as base64 of 16 bytes each, oldest first; others as they are. */
export interface PackedIds {
  packed: string;
  others: string[];
}

export const NO_IDS: Readonly<PackedIds> = { packed: '', others: [] };

/** A place in what was ever added to a set of ids; each set has places of its own. */
export interface IdMark {
  readonly uuids: number;
  readonly others: number;
}

/**
 * A set of ids that forgets the oldest: it knows at least the newest `atLeast` of them, and never holds more than twice as many.
 * UUIDs, which is what nearly all ids are, take 16 bytes in a table: as texts in a set they would cost seven times that, and
 * the collector its time.
 */
export class RecentIds {
  private newer = new IdTable();
  private older = new IdTable();
  private newerOthers = new Set<string>();
  private olderOthers = new Set<string>();
  private added = { uuids: 0, others: 0 };

  constructor(private readonly atLeast: number) {}

  has(id: string): boolean {
    if (!parseId(id)) return this.newerOthers.has(id) || this.olderOthers.has(id);
    return this.newer.hasParsed() || this.older.hasParsed();
  }

  add(id: string): void {
    this.makeRoom();
    if (parseId(id)) this.added.uuids += this.newer.addParsed() ? 1 : 0;
    else if (!this.newerOthers.has(id)) {
      this.newerOthers.add(id);
      this.added.others += 1;
    }
  }

  /** Where the set is now. */
  get mark(): IdMark {
    return { ...this.added };
  }

  /** The newest ids, at most so many, oldest first; those that are no UUIDs last. */
  newest(count: number): string[] {
    const words = this.newestWords(count);
    const ids = Array.from({ length: words.length / WORDS }, (_, index) => idOf(words, index * WORDS));
    return [...ids, ...this.newestOthers(count)];
  }

  /** The same for a checkpoint. */
  pack(count: number): PackedIds {
    return this.packNewest(count, count);
  }

  /** What was added since a place in this set, the newest `most` of it. */
  packSince(mark: IdMark, most: number): PackedIds {
    const { uuids, others } = this.added;
    return this.packNewest(Math.min(most, uuids - mark.uuids), Math.min(most, others - mark.others));
  }

  restore(ids: PackedIds): void {
    const bytes = Buffer.from(ids.packed, 'base64');
    const words = new Uint32Array(bytes.byteLength / Uint32Array.BYTES_PER_ELEMENT);
    Buffer.from(words.buffer).set(bytes);
    for (let at = 0; at < words.length; at += WORDS) {
      this.makeRoom();
      this.added.uuids += this.newer.addWords(words, at) ? 1 : 0;
    }
    for (const id of ids.others) this.add(id);
  }

  private makeRoom(): void {
    if (this.newer.size + this.newerOthers.size < this.atLeast) return;
    [this.older, this.newer] = [this.newer, new IdTable()];
    [this.olderOthers, this.newerOthers] = [this.newerOthers, new Set()];
  }

  private packNewest(uuids: number, others: number): PackedIds {
    const words = this.newestWords(uuids);
    const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
    return { packed: bytes.toString('base64'), others: this.newestOthers(others) };
  }

  private newestWords(count: number): Uint32Array {
    const fromNewer = Math.min(count, this.newer.size);
    const fromOlder = Math.min(count - fromNewer, this.older.size);
    const words = new Uint32Array((fromNewer + fromOlder) * WORDS);
    this.older.copyNewest(fromOlder, words, 0);
    this.newer.copyNewest(fromNewer, words, fromOlder * WORDS);
    return words;
  }

  private newestOthers(count: number): string[] {
    return count === 0 ? [] : [...this.olderOthers, ...this.newerOthers].slice(-count);
  }
}
