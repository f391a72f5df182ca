import type { AnyEvent } from '@moon/events';
import type { LogRow } from '@moon/kernel';

/** One place in which two JSON values differ; undefined = there is nothing at that place. */
export interface PathDifference {
  /** Dots and indices from the envelope down, e.g. `data.decision.scores.BUY` or `data.votes[2].score`. */
  path: string;
  recorded: unknown;
  replayed: unknown;
}

/**
 * differs: the same event with another content · not_replayed: the log holds what the replay does not emit ·
 * not_recorded: the replay emits what the log does not hold · order: both have it, at different turns of its emitter ·
 * deadline: one that fired in the log, and that the replay never set · answer: a model's answer is missing from the log ·
 * state: a handler's state is not the one that the run's checkpoint stored.
 */
export type DivergenceKind = 'differs' | 'not_replayed' | 'not_recorded' | 'order' | 'deadline' | 'answer' | 'state';

export interface Divergence {
  kind: DivergenceKind;
  /** Position in the log at which it shows. */
  seq: number;
  /** Event type; of a state, `state`. */
  type: string;
  key: string;
  /** The handler that emitted it, or that should have. */
  handler: string;
  /** One sentence for a person. */
  says: string;
  paths: PathDifference[];
  recorded: AnyEvent | null;
  replayed: AnyEvent | null;
}

/** A divergence with what led to it. */
export interface ExplainedDivergence extends Divergence {
  /** The event whose handling made the recorded event, the replayed one, or both. */
  cause: LogRow | null;
  /** From the cause up to the root: what caused what. */
  chain: Array<{ seq: number; id: string; type: string; key: string; occurredAt: number }>;
}

/** States at the run's newest checkpoint, by the handlers' views of rule 6. */
export interface StateComparison {
  /** Position of the checkpoint. */
  seq: number;
  /** How many states (handler and key) were compared. */
  states: number;
  /** SHA-256 of the RFC 8785 JSON of all views compared. */
  recorded: string;
  replayed: string;
  equal: boolean;
}

/** What `moon parity` says about a run. */
export interface ParityReport {
  /** Events that handlers emitted and that were compared. */
  compared: number;
  equal: boolean;
  firstDivergence: ExplainedDivergence | null;
  /** All divergences found; the comparison ends at a bound. */
  divergences: number;
  divergencesByKind: Partial<Record<DivergenceKind, number>>;
  /** Position at which the comparison gave up, because too much differed; null when it came to the end. */
  stoppedAt: number | null;
  /** Events of the log that were read. */
  events: number;
  /** Position of the last one. */
  lastSeq: number;
  comparedByType: Record<string, number>;
  /** Taken as recorded: market data, venue reports, model answers, deadlines, operators, start events. */
  inputs: number;
  inputsByType: Record<string, number>;
  /** Left out (rule 5), recorded or replayed. */
  operational: number;
  /** Emitted by handlers that the replay does not have (users' agents that were not given), by source: taken as recorded. */
  unchecked: Record<string, number>;
  /** Deadlines that fired in the log; each was set by the replay too. */
  deadlines: number;
  /** Answers of models, taken as recorded. */
  answers: number;
  /** Deliveries that were not made again, because the log says that the agent took too long or died over them. */
  skipped: number;
  /** Emitted by the replay behind the end of the log: a tail that was cut off, or not written yet. */
  pending: number;
  /** `stopped`: the run was ended cleanly · `open`: it is running, or was killed. */
  end: 'stopped' | 'open';
  state: StateComparison | null;
  /** Configurations that were in force, in order (rule 8). */
  configurations: Array<{ seq: number; codeVersion: string }>;
  notes: string[];
}

/** Nothing can be said about parity, for the reason that the message tells. */
export class ParityImpossible extends Error {
  override readonly name = 'ParityImpossible';
}
