import { CATALOG, type AnyEvent } from '@moon/events';
import type { LogRow } from '@moon/kernel';
import { eventDifferences, sameEvent } from './differences';
import { MAIN_LANE, type Emission } from './emissions';
import type { StateCheck } from './checkpoint';
import { Findings } from './findings';
import type { Divergence } from './report';
import type { Skips } from './skips';
import { emitterOf, type Stage } from './stage';

/** Sources of inputs that have a cause: what adapters and operators answered, and deadlines. Everything else with a cause comes of a handler. */
const ADAPTERS = /^(operator$|kernel\/deadlines|model\/|venue\/|sender\/|reconciler|reconciliation)/;
/** How long a model may take, run time: the longest that can be configured, and as much again. */
const MODEL_PATIENCE_MS = 120_000;

/** Depends on the wall clock; outside parity (rule 5). */
export function isOperational({ type }: AnyEvent): boolean {
  return CATALOG[type].operational;
}

/**
 * Goes along the log: tells what came from outside from what handlers emitted, and holds the latter against what the
 * replay emitted.
 */
export class Comparison {
  readonly findings = new Findings();
  readonly comparedByType: Record<string, number> = {};
  readonly inputsByType: Record<string, number> = {};
  readonly unchecked: Record<string, number> = {};
  compared = 0;
  inputs = 0;
  operational = 0;
  deadlines = 0;
  answers = 0;
  pending = 0;

  constructor(
    private readonly stage: Stage,
    private readonly skips: Skips,
  ) {}

  /** To be called with each row of the log before it is handled. */
  take({ seq, event }: LogRow): void {
    if (isOperational(event)) {
      this.operational += 1;
      return;
    }
    const lane = this.stage.laneOf(event);
    if (lane !== null && !this.isByWallTime(event)) this.emitted(lane, seq, event);
    else if (lane === null && event.causationId !== null && !ADAPTERS.test(event.source)) {
      const source = emitterOf(event);
      this.unchecked[source] = (this.unchecked[source] ?? 0) + 1;
    } else this.input(seq, event);
  }

  /** To be called at the end of the log: what the replay emitted and the log never showed. */
  finish(end: LogRow, state: StateCheck | null): void {
    for (const { lane, emission } of this.stage.emissions.left()) {
      const isSaid = emission.causeSeq <= (state?.saidUpTo(lane, lane === MAIN_LANE) ?? 0);
      // Overdue ones have been told when something that came after them was found.
      if (emission.isOverdue) continue;
      if (isSaid) this.findings.add(missing(emission, end.seq));
      else this.pending += 1;
    }
    for (const { seq, event } of this.stage.unanswered()) {
      if (end.event.occurredAt - event.occurredAt > MODEL_PATIENCE_MS) this.findings.add(unanswered(seq, event));
    }
  }

  private input(seq: number, event: AnyEvent): void {
    this.inputs += 1;
    this.inputsByType[event.type] = (this.inputsByType[event.type] ?? 0) + 1;
    if (event.type === 'inference.completed') this.answers += 1;
    if (event.type !== 'deadline.reached') return;
    this.deadlines += 1;
    const { handler, handlerKey: key, name, dueAt } = event.data;
    // Of a handler that is not here nothing is known.
    if (!this.stage.has(handler) || this.stage.hasSet(event)) return;
    const says = `The deadline "${name}" of ${handler} for ${key}, due at ${new Date(dueAt).toISOString()}, fired in the log; the replay never set it.`;
    this.findings.add({
      ...placeOf('deadline', seq, event, handler),
      says,
      paths: [],
      recorded: event,
      replayed: null,
    });
  }

  private emitted(lane: string, seq: number, recorded: AnyEvent): void {
    this.compared += 1;
    this.comparedByType[recorded.type] = (this.comparedByType[recorded.type] ?? 0) + 1;
    const found = this.stage.emissions.take(lane, recorded.id);
    const handler = emitterOf(recorded);
    if (found === null) {
      const replayed = this.stage.emissions.nextOf(lane, recorded.causationId);
      const says = `The log holds ${recorded.type} of ${handler}, which the replay does not emit.`;
      const paths = replayed ? eventDifferences(recorded, replayed) : [];
      this.findings.add({ ...placeOf('not_replayed', seq, recorded, handler), says, paths, recorded, replayed });
      return;
    }
    for (const emission of found.passedOver) this.findings.add(missing(emission, seq));
    const { event: replayed, isOverdue } = found.emission;
    if (isOverdue) this.findings.turnedUp(recorded.id);
    if (sameEvent(recorded, replayed)) return;
    const paths = eventDifferences(recorded, replayed);
    const says = differs(
      recorded,
      replayed,
      handler,
      paths.map(({ path }) => path),
    );
    this.findings.add({ ...placeOf('differs', seq, recorded, handler), says, paths, recorded, replayed });
  }

  /** The record that an agent never came back from an event; no handler emits it. */
  private isByWallTime(event: AnyEvent): boolean {
    if (event.type !== 'event.skipped') return false;
    const { handler, handlerKey, skippedSeq } = event.data;
    return this.skips.isSkipped(handler, handlerKey, skippedSeq);
  }
}

function placeOf(
  kind: Divergence['kind'],
  seq: number,
  { type, key }: AnyEvent,
  handler: string,
): Pick<Divergence, 'kind' | 'seq' | 'type' | 'key' | 'handler'> {
  return { kind, seq, type, key, handler };
}

function missing({ event }: Emission, seq: number): Divergence {
  const handler = emitterOf(event);
  const says = `The replay emits ${event.type} of ${handler}, which the log does not hold at this place.`;
  return { ...placeOf('not_recorded', seq, event, handler), says, paths: [], recorded: null, replayed: event };
}

function differs(recorded: AnyEvent, replayed: AnyEvent, handler: string, paths: readonly string[]): string {
  if (recorded.type !== replayed.type)
    return `${handler} emitted ${recorded.type} in the log and ${replayed.type} in the replay, of the same cause.`;
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : '';
  return `${recorded.type} of ${handler} differs in ${paths.slice(0, 3).join(', ')}${more}.`;
}

function unanswered(seq: number, event: AnyEvent): Divergence {
  const agent = event.type === 'inference.requested' ? event.data.agent : event.source;
  const says =
    `The log holds no answer to the question that ${agent} asked a model here. Answers are taken from the log and never ` +
    'asked for again: what depends on this one cannot be judged.';
  return { ...placeOf('answer', seq, event, event.source), says, paths: [], recorded: event, replayed: null };
}
