/** A set of ids that forgets the oldest: it knows at least the newest `atLeast` of them, and never holds more than twice as many. */
export class RecentIds {
  private newer = new Set<string>();
  private older = new Set<string>();

  constructor(private readonly atLeast: number) {}

  has(id: string): boolean {
    return this.newer.has(id) || this.older.has(id);
  }

  add(id: string): void {
    if (this.newer.size >= this.atLeast) {
      this.older = this.newer;
      this.newer = new Set();
    }
    this.newer.add(id);
  }

  /** The newest ids, at most so many, oldest first. */
  newest(count: number): string[] {
    const newer = [...this.newer].slice(-count);
    const left = count - newer.length;
    return left === 0 ? newer : [...[...this.older].slice(-left), ...newer];
  }
}
