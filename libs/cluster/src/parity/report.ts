import type { Divergence, DivergenceKind, ExplainedDivergence } from '@moon/backtesting';

/** What was found of one shard. */
export interface ShardParity {
  shard: string;
  /** Events that its handlers emitted and that were compared. */
  compared: number;
  equal: boolean;
  /** Messages of the broker that were handled again. */
  messages: number;
  /** Inputs of its own that were handled again, from the journal: deadlines, answers, venue reports, settings. */
  ownInputs: number;
  /** Left out (rule 5). */
  operational: number;
  /** Emitted again, published only, and not archived yet at the end of what the log holds of their topic and key. */
  pending: number;
  /** Position up to which the journal was handled again. */
  seq: number;
  /** Position at which it ended early, because a message is not archived yet; null when it came to the journal's end. */
  waitsAt: number | null;
  divergences: number;
  divergencesByKind: Partial<Record<DivergenceKind, number>>;
  comparedByType: Record<string, number>;
  /** Settings that were in force, in order (rule 8). */
  configurations: Array<{ seq: number; codeVersion: string }>;
  /** Why nothing more can be said of it, e.g. a message that was dropped; null when all could be compared. */
  impossible: string | null;
}

/** A divergence, and the shard that it shows in; `seq` is the shard's own position. */
export type ShardDivergence = ExplainedDivergence & { shard: string };

/** What `moon parity --cluster` says of a deployment. */
export interface ClusterParityReport {
  compared: number;
  equal: boolean;
  shards: ShardParity[];
  /** The first by event time, over all shards. */
  firstDivergence: ShardDivergence | null;
  divergences: number;
  divergencesByKind: Partial<Record<DivergenceKind, number>>;
  comparedByType: Record<string, number>;
  messages: number;
  ownInputs: number;
  operational: number;
  pending: number;
  notes: string[];
}

/** What one shard's comparison hands to the report. */
export interface ShardResult {
  parity: ShardParity;
  first: Divergence | null;
}
