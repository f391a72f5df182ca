import { RedisProjectionCache, type Logger, type RedisConfig } from '@moon/infra';
import { CacheMonitor, executionState, processEvent, RunningClock, type Engine } from '@moon/kernel';
import type { AnyEvent } from '@moon/events';

interface Door {
  engine: Engine;
  portfolios: readonly string[];
  submit: (event: AnyEvent) => void;
}

/** How often the cache is asked whether it is there, wall ms. */
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
  private readonly cache: RedisProjectionCache;
  private readonly timer: NodeJS.Timeout;
  private isUp: boolean | null = null;
  private detail = '';

  constructor(
    config: RedisConfig,
    private readonly logger: Logger,
    private readonly headers: AnyEvent['headers'],
  ) {
    this.cache = RedisProjectionCache.open(config, { onError: (error) => logger.debug({ err: error }, 'cache') });
    this.monitor = new CacheMonitor({
      clock: new RunningClock(),
      onChange: (isUp, detail) => this.turn(isUp, detail),
    });
    this.timer = setInterval(() => void this.ask(), ASK_MS);
  }

  /** What the cache was when it was last asked. */
  get state(): string {
    return this.isUp === null ? 'unknown' : this.isUp ? 'up' : `down: ${this.detail}`;
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
      await this.cache.identity();
      this.monitor.report('up', 'it answers');
    } catch (error) {
      this.monitor.report('down', error instanceof Error ? error.message : String(error));
    }
  }

  private turn(isUp: boolean, detail: string): void {
    this.isUp = isUp;
    this.detail = detail;
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
