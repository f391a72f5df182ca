/** Offences of an agent within this time lengthen its next rest, wall ms. */
const REMEMBERED_MS = 300_000;
const LONGEST_REST_MS = 30_000;

/** An agent whose thread was ended over an offence and is not up again yet. */
export interface Resting {
  agent: string;
  /** Since when, wall ms. */
  since: number;
}

/**
 * Offenders rest before they get a new thread: each offence of the last five minutes doubles it, so that an agent that
 * never returns from any event costs the others ever fewer restarts, each of which reads the log again.
 */
export class RestingAgents {
  private readonly offences = new Map<string, number[]>();
  private readonly resting = new Map<string, Resting & { timer: NodeJS.Timeout }>();

  /** @param shortestMs rest after the first offence, wall ms */
  constructor(
    private readonly shortestMs: number,
    private readonly wall: () => number,
  ) {}

  get list(): Resting[] {
    return [...this.resting.values()];
  }

  /** Calls `wake` when the agent has rested. */
  rest(agent: string, wake: () => void): void {
    const now = this.wall();
    const recent = [...(this.offences.get(agent) ?? []).filter((at) => now - at < REMEMBERED_MS), now];
    this.offences.set(agent, recent);
    const restMs = Math.min(LONGEST_REST_MS, this.shortestMs * 2 ** (recent.length - 1));
    const timer = setTimeout(() => {
      this.resting.delete(agent);
      wake();
    }, restMs);
    timer.unref();
    this.resting.set(agent, { agent, since: now, timer });
  }

  /** Nobody is woken any more. */
  stop(): void {
    for (const { timer } of this.resting.values()) clearTimeout(timer);
    this.resting.clear();
  }
}
