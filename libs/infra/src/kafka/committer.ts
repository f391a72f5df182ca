import type { BusPartition, BusPosition } from '@moon/kernel';

export interface CommitterHooks {
  commit: (positions: readonly BusPosition[]) => Promise<void>;
  /** Whether the partition is still this member's to commit. */
  owns: (partition: BusPartition) => boolean;
  onError: (error: unknown, failures: number) => void;
}

const RETRY_MS = 300;
/** A commit is a replicated write of its own: what nobody waits for goes together, this often. */
const LATER_MS = 1_000;

/** Commits the newest position of every partition, one request at a time; what comes meanwhile goes with the next one. */
export class Committer {
  private pending = new Map<string, BusPosition>();
  private flushing: Promise<void> | null = null;
  private isStopped = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly hooks: CommitterHooks) {}

  async add(positions: readonly BusPosition[]): Promise<void> {
    this.note(positions);
    // A request under way may have been made before these came.
    while (this.pending.size > 0 || this.flushing !== null) {
      this.flushing ??= this.flush().finally(() => {
        this.flushing = null;
      });
      await this.flushing;
    }
  }

  /** The same within a second, with whatever else comes until then. */
  addLater(positions: readonly BusPosition[]): void {
    this.note(positions);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.add([]);
    }, LATER_MS);
    this.timer.unref();
  }

  /** Nothing is tried again; the next owner starts earlier. */
  stop(): void {
    this.isStopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private note(positions: readonly BusPosition[]): void {
    for (const position of positions) this.pending.set(`${position.topic}/${position.partition}`, position);
  }

  private async flush(): Promise<void> {
    let batch = this.pending;
    this.pending = new Map();
    for (let failures = 0; ;) {
      const owned = [...batch.values()].filter((position) => this.hooks.owns(position));
      if (owned.length === 0) return;
      try {
        await this.hooks.commit(owned);
        return;
      } catch (error) {
        if (this.isStopped) return;
        failures += 1;
        this.hooks.onError(error, failures);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        batch = new Map([...batch, ...this.pending]);
        this.pending = new Map();
      }
    }
  }
}
