import { join } from 'node:path';
import type { AnyEvent } from '@moon/events';
import { Engine } from '../core/engine';
import { LogWriter } from '../log/log-writer';
import { MemoryEventStore } from '../memory/memory-event-store';
import type { EventStore, LogRow } from '../ports/event-store';
import { LiveRuntime } from '../runtime/live';
import { recover, saveCheckpoint } from '../runtime/recover';
import { agentReports } from '../runtime/threads/agent-report';
import type { AgentModule } from '../runtime/threads/protocol';
import { ThreadedAgents, type ThreadedAgentsOptions } from '../runtime/threads/threaded-agents';
import { ManualClock } from './manual-clock';
import { T0, tick } from './venue-desk';

const ROOT = join(__dirname, '..', '..', '..', '..');
/** Worker threads run from the compiled tree. */
export const WORKER_SCRIPT = join(ROOT, 'dist', 'libs', 'kernel', 'src', 'runtime', 'threads', 'agent.worker.js');
const PLANTED = join(ROOT, 'tests', 'fixtures', 'agents', 'planted.js');

/** An agent of tests/fixtures/agents/planted.js. */
export interface PlantedAgent {
  name: string;
  busyMs?: number;
  throwsAt?: number;
  hangsAt?: number;
  hangsUnless?: string;
  diesAt?: number;
}

/** Agents that share a thread. */
export function planted(...agents: PlantedAgent[]): AgentModule {
  return { path: PLANTED, config: { agents } };
}

export interface AgentsBedOptions {
  modules: readonly AgentModule[];
  store?: EventStore;
  settings?: Pick<ThreadedAgentsOptions, 'timeoutMs' | 'maxAttempts' | 'laggingMs' | 'laggingEveryMs' | 'limits'>;
}

/** A live runtime whose agents live in real threads; its log is in memory. */
export class AgentsBed {
  readonly agents: ThreadedAgents;
  readonly engine: Engine;
  readonly problems: string[] = [];
  private readonly runtime: LiveRuntime;
  private readonly log: LogWriter;
  private ticks = 0;

  private constructor(
    readonly store: EventStore,
    private readonly options: AgentsBedOptions,
    storedSeq: number,
  ) {
    this.log = new LogWriter(store, storedSeq);
    const onFatal = (error: Error): void => void this.problems.push(`fatal: ${error.message}`);
    const headers = { mode: 'live' } as const;
    this.agents = new ThreadedAgents({
      ...options.settings,
      modules: options.modules,
      workerScript: WORKER_SCRIPT,
      readLog: (from, limit) => this.readLog(from, limit),
      onOutput: ({ delivered, cause }) => {
        this.engine.accept(delivered, cause);
        this.runtime.wake();
      },
      ...agentReports({
        engine: () => this.engine,
        headers,
        submit: (event) => void this.runtime.submit(event),
        onProblem: (message) => this.problems.push(message),
      }),
    });
    this.engine = new Engine({ handlers: [], log: this.log, remote: this.agents });
    const clock = new ManualClock(T0);
    this.runtime = new LiveRuntime({
      engine: this.engine,
      log: this.log,
      clock,
      headers,
      agents: this.agents,
      onFatal,
    });
  }

  /** Recovers from the store, starts the threads and the runtime. */
  static async open(options: AgentsBedOptions): Promise<AgentsBed> {
    const store = options.store ?? new MemoryEventStore();
    const bed = new AgentsBed(store, options, await store.lastSeq());
    const { unlogged } = await recover({ store, engine: bed.engine, startAgents: (start) => bed.agents.start(start) });
    bed.runtime.start(unlogged);
    return bed;
  }

  /** The next ticks of BTC, at these prices. */
  feed(prices: readonly number[]): void {
    for (const price of prices) this.submit(tick('BTC.HYPERLIQUID', (this.ticks += 1), price));
  }

  submit(event: AnyEvent): void {
    this.runtime.submit(event);
  }

  async rows(): Promise<LogRow[]> {
    const rows: LogRow[] = [];
    for await (const row of this.readLog(0)) rows.push(row);
    return rows;
  }

  /** Events of one type in the log so far. */
  async of<T extends AnyEvent['type']>(type: T): Promise<Array<Extract<AnyEvent, { type: T }>>> {
    const events = (await this.rows()).map(({ event }) => event);
    return events.filter((event): event is Extract<AnyEvent, { type: T }> => event.type === type);
  }

  /** What an agent has said so far, in its order. */
  async said(agent: string): Promise<string[]> {
    return (await this.of('signal.generated'))
      .filter((event) => event.source === agent)
      .map((event) => event.data.reason);
  }

  async checkpoint(withinMs = 1_000): Promise<number> {
    await this.agents.refresh(withinMs);
    this.runtime.drain();
    return saveCheckpoint(this.store, this.log, this.engine, this.agents.cut());
  }

  /** Ends as a crash would: what is not stored is lost. */
  async crash(): Promise<void> {
    await this.agents.stop();
  }

  /** Another start on what this one has stored; threads of a crashed bed only. */
  async restarted(more: Partial<AgentsBedOptions> = {}): Promise<AgentsBed> {
    const bed = await AgentsBed.open({ ...this.options, store: this.store, ...more });
    bed.ticks = this.ticks;
    return bed;
  }

  /** Handles a bed's log again, from its beginning, by an engine that has all handlers on one thread. */
  static async alone(bed: AgentsBed, engine: Engine): Promise<{ engine: Engine; unlogged: AnyEvent[] }> {
    const store = new MemoryEventStore();
    await store.appendBatch(await bed.rows());
    const { unlogged } = await recover({ store, engine });
    return { engine, unlogged };
  }

  private async *readLog(fromSeq: number, limit?: number): AsyncIterable<LogRow> {
    await this.log.durable(this.engine.lastSeq);
    yield* this.store.readLog(fromSeq, limit);
  }
}

/** Waits until a condition holds. @throws Error after `withinMs` */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end;) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`It did not come about within ${withinMs} ms: ${condition.toString()}`);
}
