/**
 * A member that was in its group may be out of it for so long before it is missing, wall ms: as long as a partition may stand
 * still, and longer than it takes to find the group's next coordinator when a broker is gone.
 */
const MAY_BE_AWAY_MS = 10_000;

/** Whether a member is in its group, and what keeps it out. */
export class Presence {
  private isIn = false;
  /** When it was last in it, wall ms (monotonic); it has never been: long ago. */
  private lastIn = Number.NEGATIVE_INFINITY;
  private why: unknown = null;

  get isJoined(): boolean {
    return this.isIn;
  }

  joined(): void {
    this.isIn = true;
    this.why = null;
  }

  /** @param why null: not known, or as before */
  left(why: unknown = null): void {
    if (this.isIn) this.lastIn = performance.now();
    this.isIn = false;
    this.why = why ?? this.why;
  }

  /** What keeps it out, `why` null when that is not known; null while it is in, or may be back in a moment. */
  missing(): { why: unknown } | null {
    const isMissing = !this.isIn && performance.now() - this.lastIn > MAY_BE_AWAY_MS;
    return isMissing ? { why: this.why } : null;
  }
}
