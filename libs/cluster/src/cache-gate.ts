import type { Logger } from '@moon/infra';
import {
  CacheMonitor,
  executionState,
  processEvent,
  RunningClock,
  type CacheState,
  type Engine,
  type ProjectionCache,
} from '@moon/kernel';
import type { AnyEvent } from '@moon/events';
import type { CacheSeen } from './cache-seen';

interface Door {
  engine: Engine;
  portfolios: readonly string[];
  submit: (event: AnyEvent) => void;
}

/** How often the cache is asked whether it is there and takes writes, wall ms. */
const ASK_MS = 500;
/** The source of its halts. */
const SOURCE = 'cache';

/**
 * While readers' cache is away nothing is opened (CCH-4): each portfolio of this process is halted under a source of its
 * own, which is recorded like any other input, and lifted when the cache is back. Reduce-only orders go on.
 */
export class CacheGate {
  private readonly doors = new Set<Door>();
  private readonly monitor: CacheMonitor;
  private readonly timer: NodeJS.Timeout;
  private isUp: boolean | null = null;
  private detail = '';
  /** Why it has been down since it was up last: each is told once. */
  private readonly reasons = new Set<string>();

  /** @param cache closed with the gate */
  constructor(
    private readonly cache: ProjectionCache,
    private readonly logger: Logger,
    private readonly headers: AnyEvent['headers'],
  ) {
    this.monitor = new CacheMonitor({
      clock: new RunningClock(),
      onChange: (isUp, detail) => this.turn(isUp, detail),
    });
    this.timer = setInterval(() => void this.ask(), ASK_MS);
  }

  /** What the cache was when it was asked last; null before it counts as up or down. */
  get seen(): CacheSeen | null {
    return this.isUp === null ? null : { isUp: this.isUp, detail: this.detail };
  }

  /** Halts and releases these portfolios from now on. @returns takes them off again */
  add(door: Door): () => void {
    this.doors.add(door);
    if (this.isUp !== null) this.tell(door, this.isUp);
    return () => this.doors.delete(door);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.monitor.stop();
    await this.cache.close();
  }

  private async ask(): Promise<void> {
    try {
      // A cache that is only read would not be filled: what readers see would grow old, and nobody would be told.
      await this.cache.probe();
      this.report('up', 'it answers and takes writes');
    } catch (error) {
      this.report('down', error instanceof Error ? error.message : String(error));
    }
  }

  private report(state: CacheState, detail: string): void {
    this.monitor.report(state, detail);
    if (state !== 'down' || this.isUp !== false) return;
    this.detail = detail;
    if (this.reasons.has(detail)) return;
    this.reasons.add(detail);
    this.logger.warn({ detail }, 'the cache is still down');
  }

  private turn(isUp: boolean, detail: string): void {
    this.isUp = isUp;
    this.detail = detail;
    this.reasons.clear();
    if (!isUp) this.reasons.add(detail);
    this.logger.warn(
      { isUp, detail },
      isUp ? 'the cache is up' : 'the cache is down: nothing is opened until it is back',
    );
    for (const door of this.doors) this.tell(door, isUp);
  }

  private tell({ engine, portfolios, submit }: Door, isUp: boolean): void {
    for (const portfolio of portfolios) {
      const isHalted = isHaltedBy(engine, portfolio);
      if (isUp !== isHalted) continue;
      const command = isUp ? ('lift' as const) : ('halt' as const);
      const asked = { scope: 'portfolio', portfolio, reason: 'cache_down', source: SOURCE };
      const at = engine.now;
      const data = { command, arguments: asked, requestedBy: 'cache-gate', timestamp: at };
      submit(processEvent('operator.command', data, { at, seq: engine.lastSeq, headers: this.headers }));
    }
  }
}

function isHaltedBy(engine: Engine, portfolio: string): boolean {
  return executionState(engine, portfolio)?.portfolio?.halts.some(({ source }) => source === SOURCE) ?? false;
}
