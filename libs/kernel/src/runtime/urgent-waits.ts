import type { LogSink } from '../ports/log-sink';

export interface UrgentOptions {
  log: LogSink;
  /** How long an urgent effect waits for a store that does not answer, wall ms; default 2,000. */
  urgentMs?: number;
  /** Called when an urgent effect could not be kept on this machine, and waits for the store like the others. */
  onNotSecured?: (error: Error) => void;
}

const URGENT_MS = 2_000;
/** A timer that is so late was asleep, ms. */
const LATE_MS = 500;

/** How long an urgent effect waits: for what is in front of it, and for the store (ADR 0038). */
export class UrgentWaits {
  constructor(private readonly options: UrgentOptions) {}

  /** True where there is a place for what must not wait. */
  get isPossible(): boolean {
    return this.options.log.secure !== undefined;
  }

  /** Waits for the store, and where that does not answer, for this machine's own disk. */
  async safe(seq: number): Promise<void> {
    const { log, onNotSecured } = this.options;
    const stored = log.durable(seq);
    await this.atMost(stored);
    if (log.durableSeq >= seq) return;
    await log.secure?.(seq).catch((thrown: unknown) => {
      if (!log.fatal) onNotSecured?.(thrown instanceof Error ? thrown : new Error(String(thrown)));
      return stored;
    });
  }

  /** Resolves when `work` has, or when it was waited for long enough. @throws what `work` throws until then */
  async atMost(work: Promise<void>): Promise<void> {
    const { urgentMs = URGENT_MS } = this.options;
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const up = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, urgentMs);
    });
    // Nobody may hear of it later: then it failed for all who wait.
    work.catch(() => undefined);
    await Promise.race([work, up]).finally(() => clearTimeout(timer));
    // A process that was frozen has not heard yet what became of it meanwhile.
    if (performance.now() - startedAt > urgentMs + LATE_MS) await this.atMost(work);
  }
}
