const SHOWN = 3;

/** For which partition a shard that is restored waits, and how long it waited for each: what held up a takeover. */
export class Waits {
  private awaited: { slot: string; since: number } | null = null;
  private readonly totals = new Map<string, number>();

  /** @param slot the partition whose next message is missing from now on; null: none is */
  note(slot: string | null): void {
    if (this.awaited?.slot === slot || (this.awaited === null && slot === null)) return;
    const now = performance.now();
    if (this.awaited) {
      const { slot: before, since } = this.awaited;
      this.totals.set(before, (this.totals.get(before) ?? 0) + now - since);
    }
    this.awaited = slot === null ? null : { slot, since: now };
  }

  /** The partition that it waits for at this moment; null: none. */
  get slot(): string | null {
    return this.awaited?.slot ?? null;
  }

  /** The longest, whole ms. */
  get longest(): Readonly<Record<string, number>> {
    const longest = [...this.totals].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
    return Object.fromEntries(longest.map(([slot, ms]) => [slot, Math.round(ms)]));
  }
}
