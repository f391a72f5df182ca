/** 32-bit words of a UUID. */
export const WORDS = 4;

const LENGTH = 36;
const DASHES = [8, 13, 18, 23];
const DASH = 0x2d;
const FIRST_SLOTS = 1_024;

/** The value of each lower-case hexadecimal digit, by its character code; -1 for what is none. */
const DIGITS = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value += 1) DIGITS[value.toString(16).charCodeAt(0)] = value;

/** Where `parseId` puts what it has read; there is one thread, and nobody keeps it. */
const parsed = new Uint32Array(WORDS);

/** Reads a UUID in its canonical form; false for any other text, and for the one of all zeros, which marks free slots. */
export function parseId(id: string): boolean {
  if (id.length !== LENGTH) return false;
  for (const at of DASHES) if (id.charCodeAt(at) !== DASH) return false;
  let at = 0;
  let any = 0;
  for (let word = 0; word < WORDS; word += 1) {
    let value = 0;
    for (let digit = 0; digit < 8; digit += 1) {
      if (at === 8 || at === 13 || at === 18 || at === 23) at += 1;
      const found = DIGITS[id.charCodeAt(at)] ?? -1;
      if (found < 0) return false;
      value = (value << 4) | found;
      at += 1;
    }
    parsed[word] = value;
    any |= value;
  }
  return any !== 0;
}

/** The UUID whose words begin there. */
export function idOf(words: Uint32Array, at: number): string {
  let hex = '';
  for (let word = 0; word < WORDS; word += 1) hex += words[at + word]!.toString(16).padStart(8, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A set of UUIDs that remembers their order: open addressing over one array, which doubles when it is half full. */
export class IdTable {
  private slots = FIRST_SLOTS;
  private words = new Uint32Array(FIRST_SLOTS * WORDS);
  /** Where each id is, in the order in which they came. */
  private order = new Uint32Array(FIRST_SLOTS / 2);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Whether it holds what `parseId` has just read. */
  hasParsed(): boolean {
    return this.isTaken(this.place(parsed, 0));
  }

  /** @returns whether it is new */
  addParsed(): boolean {
    return this.addWords(parsed, 0);
  }

  /** @returns whether it is new */
  addWords(from: Uint32Array, at: number): boolean {
    let slot = this.place(from, at);
    if (this.isTaken(slot)) return false;
    if (this.count === this.order.length) {
      this.grow();
      slot = this.place(from, at);
    }
    for (let word = 0; word < WORDS; word += 1) this.words[slot * WORDS + word] = from[at + word]!;
    this.order[this.count] = slot;
    this.count += 1;
    return true;
  }

  /** Copies the newest ids, oldest first. */
  copyNewest(count: number, to: Uint32Array, at: number): void {
    let next = at;
    for (let index = this.count - count; index < this.count; index += 1) {
      const from = this.order[index]! * WORDS;
      for (let word = 0; word < WORDS; word += 1) to[next++] = this.words[from + word]!;
    }
  }

  /** The slot of an id: where it is, or where it belongs. The last word is random in every version of UUIDs that is in use. */
  private place(from: Uint32Array, at: number): number {
    const mask = this.slots - 1;
    let slot = (from[at + 3]! ^ from[at]!) & mask;
    while (this.isTaken(slot) && !this.isAt(slot, from, at)) slot = (slot + 1) & mask;
    return slot;
  }

  private isTaken(slot: number): boolean {
    const { words } = this;
    const at = slot * WORDS;
    return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) !== 0;
  }

  private isAt(slot: number, from: Uint32Array, at: number): boolean {
    const { words } = this;
    const own = slot * WORDS;
    return (
      words[own + 3] === from[at + 3] &&
      words[own] === from[at] &&
      words[own + 1] === from[at + 1] &&
      words[own + 2] === from[at + 2]
    );
  }

  private grow(): void {
    const ids = new Uint32Array(this.count * WORDS);
    this.copyNewest(this.count, ids, 0);
    this.slots *= 2;
    this.words = new Uint32Array(this.slots * WORDS);
    this.order = new Uint32Array(this.slots / 2);
    this.count = 0;
    for (let at = 0; at < ids.length; at += WORDS) this.addWords(ids, at);
  }
}
