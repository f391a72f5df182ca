/** Components in the order in which they start (SYS-1). */
export const COMPONENTS = ['broker', 'event-store', 'cache', 'agents', 'api'] as const;
export type ComponentName = (typeof COMPONENTS)[number];

/** `degraded`: it is away, and what needs it waits; everything else goes on, so readiness stays. */
export type ComponentStatus = 'waiting' | 'starting' | 'up' | 'degraded' | 'down';
export type SystemState = 'STARTING' | 'READY' | 'FAILED' | 'STOPPING';

export interface ComponentHealth {
  status: ComponentStatus;
  /** What it says of itself, or why it is down. */
  detail: string;
  /** Wall time of the last change, ISO 8601. */
  since: string;
}

/** A start-up step failed; `component` says which. */
export class StartupFailure extends Error {
  override readonly name = 'StartupFailure';
  constructor(
    readonly component: ComponentName,
    override readonly cause: unknown,
  ) {
    super(`${component} did not start: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Whether what comes after it may start, and market data come in. */
const serves = (health: ComponentHealth | undefined): boolean =>
  health?.status === 'up' || health?.status === 'degraded';

/**
 * Starts components one after the other and knows how each one is. READY means that all of them are up, or degraded; only then
 * market data is accepted.
 */
export class HealthRegistry {
  /** What the agents say of themselves; set by whoever runs them. */
  agents: () => readonly object[] = () => [];
  private current: SystemState = 'STARTING';
  private readonly components = new Map<ComponentName, ComponentHealth>();

  constructor(private readonly now: () => Date = () => new Date()) {
    for (const name of COMPONENTS) this.set(name, 'waiting', 'not started yet');
  }

  get state(): SystemState {
    const isDown = COMPONENTS.some((name) => !serves(this.components.get(name)));
    return this.current === 'READY' && isDown ? 'FAILED' : this.current;
  }

  /** Starts one component; its turn comes only when all before it are up. */
  async start<T>(name: ComponentName, begin: () => Promise<T>, detail: (started: T) => string): Promise<T> {
    for (const earlier of COMPONENTS.slice(0, COMPONENTS.indexOf(name))) {
      if (!serves(this.components.get(earlier))) {
        throw new StartupFailure(name, new Error(`${earlier} must be up before it`));
      }
    }
    this.set(name, 'starting', 'starting');
    try {
      const started = await begin();
      this.set(name, 'up', detail(started));
      return started;
    } catch (error) {
      this.set(name, 'down', error instanceof Error ? error.message : String(error));
      this.current = 'FAILED';
      throw error instanceof StartupFailure ? error : new StartupFailure(name, error);
    }
  }

  set(name: ComponentName, status: ComponentStatus, detail: string): void {
    this.components.set(name, { status, detail, since: this.now().toISOString() });
  }

  /** Every component is up: market data may come in. */
  ready(): void {
    const missing = COMPONENTS.filter((name) => !serves(this.components.get(name)));
    if (missing.length > 0) throw new Error(`Not ready: ${missing.join(', ')} not up.`);
    this.current = 'READY';
  }

  stopping(): void {
    this.current = 'STOPPING';
  }

  report(): { state: SystemState; components: Record<string, ComponentHealth> } {
    return { state: this.state, components: Object.fromEntries(this.components) };
  }
}
