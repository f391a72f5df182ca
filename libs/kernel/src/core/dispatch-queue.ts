import type { LogRow } from '../ports/event-store';

/** Handled rows at the front from which on the waiting ones are moved up. */
const LONGEST_LEFTOVER = 10_000;

/** Rows that wait to be dispatched, first in, first out. */
export class DispatchQueue {
  /** Waiting rows from `head` to `tail`; what lies outside is left over. */
  private readonly rows: LogRow[] = [];
  private head = 0;
  private tail = 0;

  get length(): number {
    return this.tail - this.head;
  }

  push(row: LogRow): void {
    this.rows[this.tail++] = row;
  }

  /** Takes the first row out; undefined when there is none. */
  shift(): LogRow | undefined {
    if (this.head === this.tail) return undefined;
    const row = this.rows[this.head] as LogRow;
    this.head += 1;
    // Its places are used again: emptying an array costs more than what a bar costs otherwise.
    if (this.head === this.tail) this.head = this.tail = 0;
    else if (this.head > LONGEST_LEFTOVER) {
      this.rows.copyWithin(0, this.head, this.tail);
      this.tail -= this.head;
      this.head = 0;
    }
    return row;
  }
}
