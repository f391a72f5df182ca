import { derivedId, inputId, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import type {
  AgentTimeout,
  Engine,
  EventStore,
  LogRow,
  LogWriter,
  RecordedSkip,
  ThreadedAgents,
  ThreadOutput,
} from '@moon/kernel';

/** An agent this far behind is lagging (AGT-6), wall ms. */
const LAGGING_MS = 1_000;
/** A lagging agent is reported again after this time, wall ms. */
const REPORT_EVERY_MS = 10_000;

/** Takes what agents' threads make and say: their outputs, time-outs, dead letters and lag, each as an event of the log. */
export class AgentWatch {
  private recovered = 0;
  private timer: NodeJS.Timeout | null = null;
  private readonly reported = new Map<string, number>();

  constructor(
    private readonly store: EventStore,
    private readonly log: LogWriter,
    private readonly engine: () => Engine,
    private readonly headers: AnyEvent['headers'],
    private readonly submit: (event: AnyEvent) => void,
    private readonly onProblem: (message: string, context: Record<string, unknown>) => void,
  ) {}

  /** Outputs for events up to here may be in the log already. */
  recoveredUpTo(seq: number): void {
    this.recovered = seq;
  }

  /** The stored log, complete up to what is sequenced now. */
  async *readLog(fromSeq: number): AsyncIterable<LogRow> {
    await this.log.durable(this.engine().lastSeq);
    yield* this.store.readLog(fromSeq);
  }

  accept(output: ThreadOutput, wake: () => void): void {
    if (output.seq > this.recovered || this.recovered === 0) {
      this.engine().accept(output.delivered, output.cause);
      wake();
      return;
    }
    void this.acceptUnlogged(output).then(wake, (error: Error) =>
      this.onProblem('could not check an output of a lagging agent', { error: error.message }),
    );
  }

  timedOut({ handler, seq, elapsedMs, attempts }: AgentTimeout): void {
    this.onProblem('agent timed out', { agent: handler, seq, elapsedMs, attempts });
    this.operational('agent.timeout', {
      agent: handler,
      elapsedMs: Math.round(elapsedMs),
      timestamp: this.engine().now,
    });
  }

  /** Makes the event a dead letter of this agent, by a recorded input (rule 5). */
  async skip({ handler, seq, attempts }: AgentTimeout): Promise<RecordedSkip> {
    for await (const { event } of this.readLog(seq - 1)) {
      const error = `timed out ${attempts} times`;
      const data = {
        handler,
        handlerKey: event.key,
        skippedEventId: event.id,
        skippedSeq: seq,
        reason: 'timeout',
        error,
        timestamp: event.occurredAt,
      } as const;
      this.submit({
        ...{
          id: derivedId(event.id, `${handler}/${event.key}/skipped`, 0),
          type: 'event.skipped',
          schemaVersion: 1,
          source: 'kernel',
        },
        ...{
          key: event.key,
          occurredAt: event.occurredAt,
          correlationId: event.correlationId,
          causationId: event.id,
          headers: this.headers,
        },
        data: { event_type: 'event.skipped', ...data },
      } as AnyEvent);
      return { handler, key: event.key, eventId: event.id };
    }
    throw new Error(`The log has no event ${seq}, on which ${handler} timed out.`);
  }

  /** Watches the agents' lag every second. */
  start(agents: ThreadedAgents): void {
    this.timer = setInterval(() => {
      for (const { agent, lagMs, queued } of agents.lags()) {
        if (lagMs <= LAGGING_MS || Date.now() - (this.reported.get(agent) ?? 0) < REPORT_EVERY_MS) continue;
        this.reported.set(agent, Date.now());
        this.operational('agent.lagging', { agent, lagMs: Math.round(lagMs), queued, timestamp: this.engine().now });
      }
    }, LAGGING_MS);
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** After a restart a lagging agent handles logged events again: what it emitted before is in the log. */
  private async acceptUnlogged({ delivered, cause }: ThreadOutput): Promise<void> {
    const events: AnyEvent[] = [];
    for (const event of delivered.events) {
      const { rows } = await this.store.query({ eventId: event.id, limit: 1 });
      if (rows.length === 0) events.push(event);
    }
    this.engine().accept({ ...delivered, events }, cause);
  }

  private operational<T extends EventType>(type: T, data: EmitData<T>): void {
    const at = this.engine().now;
    const id = inputId({
      source: 'standalone',
      kind: type,
      instrument: '',
      venueTime: at,
      values: [this.engine().lastSeq, JSON.stringify(data)],
    });
    this.submit({
      ...{
        id,
        type,
        schemaVersion: 1,
        source: 'standalone',
        key: 'system',
        occurredAt: at,
        correlationId: id,
        causationId: null,
      },
      data: { event_type: type, ...data },
      headers: this.headers,
    } as unknown as AnyEvent);
  }
}
