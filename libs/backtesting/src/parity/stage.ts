import type { AnyEvent } from '@moon/events';
import { createAgents, createDeciders, type PlatformConfig } from '@moon/domain';
import {
  assemble,
  canonicalHash,
  VenueLink,
  VolatileLog,
  type Deadline,
  type Engine,
  type EngineSnapshot,
  type Handler,
  type HandlerState,
  type LogRow,
} from '@moon/kernel';
import { AgentsHere } from './agents-here';
import { MAIN_LANE, Emissions, type IsSkipped } from './emissions';
import { NO_SIGNER, NO_VENUE } from './nobody';
import { ParityImpossible } from './report';

type ConfigActivated = Extract<AnyEvent, { type: 'config.activated' }>;
type DeadlineReached = Extract<AnyEvent, { type: 'deadline.reached' }>;

/** Deadlines that were set lately: one that was taken back since may have fallen due before, and wait in the queue. */
const REMEMBERED_DEADLINES = 10_000;

/**
 * The handlers of a run, wired by the same function as the run itself, with nothing outside. They are wired again with
 * their states when the log activates other settings, as a restart of the platform does (rule 8).
 */
export class Stage {
  readonly emissions: Emissions;
  private engine: Engine;
  private agents: AgentsHere;
  private settings: string;
  private isMain: ReadonlySet<string> = new Set();
  private readonly known = new Set<string>();

  /** @param userAgents agents of modules that the run was started with */
  constructor(
    first: ConfigActivated,
    private readonly userAgents: readonly Handler[],
    private readonly isSkipped: IsSkipped,
    isLeftOut: (event: AnyEvent) => boolean,
  ) {
    this.emissions = new Emissions((event) => (isLeftOut(event) ? null : this.laneOf(event)), isSkipped);
    this.settings = settingsOf(first);
    [this.engine, this.agents] = this.wire(first);
  }

  /** Goes over to the settings of a `config.activated`, with everything that was known under the old ones. */
  activate(event: ConfigActivated): void {
    if (settingsOf(event) === this.settings) return;
    const kept = plain({ engine: this.engine.snapshot(), states: this.states() });
    this.settings = settingsOf(event);
    [this.engine, this.agents] = this.wire(event);
    this.engine.restore(kept.engine as EngineSnapshot);
    this.engine.host.restore(kept.states.filter(({ handler }) => this.isMain.has(handler)));
    this.agents.restore(kept.states.filter(({ handler }) => this.agents.has(handler)));
  }

  /** Handles a row of the log, as the run did. `original` is the event that an `event.replayed` delivers again. */
  handle(row: LogRow, original: AnyEvent | null): void {
    if (original) this.engine.provideOriginal(original);
    this.emissions.begin(row.seq);
    this.engine.rehandle(row);
  }

  /**
   * The lane on which an event was emitted: the handler's name of an agent, `main` of all others; null when none of the
   * handlers here emitted it.
   */
  laneOf(event: AnyEvent): string | null {
    const handler = emitterOf(event);
    if (this.isMain.has(handler)) return MAIN_LANE;
    return this.agents.has(handler) ? handler : null;
  }

  /** Whether the replay has set this deadline: it is open, or was set a short while ago. */
  hasSet({ causationId, data }: DeadlineReached): boolean {
    const { handler, handlerKey: key, name, dueAt } = data;
    const sought = nameOf({ handler, key, name, dueAt, causeId: causationId ?? '' });
    return this.known.has(sought) || this.engine.deadlines.snapshot().some((open) => nameOf(open) === sought);
  }

  /** All states: the main thread's and the agents'. */
  states(): HandlerState[] {
    return [...this.engine.host.states(), ...this.agents.states()];
  }

  /** What a handler's view hashes (rule 6). */
  view({ handler, state }: Pick<HandlerState, 'handler' | 'state'>): unknown {
    const own = this.isMain.has(handler) ? this.engine.host.handler(handler) : this.agents.handler(handler);
    return own.hashView ? own.hashView(state) : state;
  }

  has(handler: string): boolean {
    return this.isMain.has(handler) || this.agents.has(handler);
  }

  /** Questions to models that have no answer yet, in their order. */
  unanswered(): LogRow[] {
    const open = this.engine.effects.unsettled().filter(({ request }) => request.type === 'inference.requested');
    return open.map(({ request, seq }) => ({ seq, event: request }));
  }

  private wire(event: ConfigActivated): [Engine, AgentsHere] {
    const { headers } = event;
    try {
      const config = event.data.values.platform as unknown as PlatformConfig;
      const agents = new AgentsHere([...createAgents(config), ...this.userAgents], this.isSkipped, (delivered, cause) =>
        engine.accept(delivered, cause),
      );
      const engine: Engine = assemble({
        ...{ config, headers, log: new VolatileLog(), link: new VenueLink(NO_VENUE, headers, false), remote: agents },
        ...NO_SIGNER,
        // Nothing is performed, so how long it would take does not matter.
        ...{ modelLatency: { minMs: 0, maxMs: 0 }, orderTimeToLiveMs: 0, venueRetryMs: 0, onRequest: () => undefined },
      });
      this.isMain = new Set(createDeciders(config).map(({ name }) => name));
      engine.beginRecovery(this.emissions);
      this.remember(engine);
      return [engine, agents];
    } catch (error) {
      throw new ParityImpossible(
        `The settings that run ${event.data.runId} was started with (code ${event.data.codeVersion}) cannot be wired by this code: ` +
          `${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }

  /** A deadline that was set again or taken back after it had fallen due is in the log all the same: it is kept in mind. */
  private remember({ deadlines }: Engine): void {
    const set = deadlines.set.bind(deadlines);
    deadlines.set = (deadline) => {
      this.known.add(nameOf(deadline));
      if (this.known.size > REMEMBERED_DEADLINES) this.forgetOldest();
      set(deadline);
    };
  }

  private forgetOldest(): void {
    for (const oldest of this.known) {
      this.known.delete(oldest);
      return;
    }
  }
}

/** The handler that an event says it comes from; failures are told by the kernel in its name. */
export function emitterOf(event: AnyEvent): string {
  if (event.source !== 'kernel') return event.source;
  const { handler, agent } = event.data as { handler?: string; agent?: string };
  return handler ?? agent ?? event.source;
}

function settingsOf({ data }: ConfigActivated): string {
  return canonicalHash(data.values.platform);
}

function nameOf({ handler, key, name, dueAt, causeId }: Omit<Deadline, 'data' | 'correlationId'>): string {
  return [handler, key, name, dueAt, causeId].join('\u0000');
}

/** A copy as it comes back from a checkpoint. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
