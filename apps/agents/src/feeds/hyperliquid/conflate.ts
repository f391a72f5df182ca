/** A value that may be said no more often than at an interval. */
interface Slot<T> {
  saidAt: number;
  said: T | null;
  waiting: { value: T; at: number } | null;
  intervalMs: number;
}

/**
 * Says a value only when it has changed, and no more often than its interval allows. A change that comes too early waits;
 * what is said then is the latest, so nobody is left with an old value.
 */
export class Conflator<T> {
  private readonly slots = new Map<string, Slot<T>>();

  constructor(private readonly isSame: (a: T, b: T) => boolean) {}

  /**
   * @param now run time, ms
   * @returns the value when it is to be said now, else null
   */
  offer(key: string, value: T, now: number, intervalMs: number): T | null {
    const slot = this.slots.get(key) ?? { saidAt: Number.NEGATIVE_INFINITY, said: null, waiting: null, intervalMs };
    this.slots.set(key, slot);
    if (slot.said !== null && this.isSame(slot.said, value)) {
      slot.waiting = null;
      return null;
    }
    if (now - slot.saidAt < intervalMs) {
      slot.waiting = { value, at: slot.saidAt + intervalMs };
      return null;
    }
    return say(slot, value, now);
  }

  /** When the next waiting value is to be said, ms; null when none waits. */
  nextAt(): number | null {
    let next: number | null = null;
    for (const { waiting } of this.slots.values())
      if (waiting && (next === null || waiting.at < next)) next = waiting.at;
    return next;
  }

  /** The waiting values whose time has come. */
  due(now: number): T[] {
    const values: T[] = [];
    for (const slot of this.slots.values()) {
      if (slot.waiting && slot.waiting.at <= now) values.push(say(slot, slot.waiting.value, now));
    }
    return values;
  }

  /** After a gap nothing is known: the next value is said whatever it is. */
  clear(): void {
    this.slots.clear();
  }
}

function say<T>(slot: Slot<T>, value: T, now: number): T {
  slot.said = value;
  slot.saidAt = now;
  slot.waiting = null;
  return value;
}
