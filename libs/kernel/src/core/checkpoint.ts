import type { Deadline } from './deadline-table';
import type { OpenRequest } from './effect-tracker';
import type { ParkedKey } from './parking';
import type { PackedIds } from './recent-ids';

/** Everything of the engine, beside the handlers' states, that one cut of the log stands for. Plain JSON. */
export interface EngineSnapshot {
  /** The last event that is contained. */
  seq: number;
  time: number;
  feedInputs: number;
  streamVersions: Record<string, number>;
  deadlines: Deadline[];
  parked: ParkedKey[];
  openRequests: OpenRequest[];
  /** Ids of the newest inputs, so that a feed's resend is dropped after a restart too; shards keep them beside it. */
  ids?: PackedIds;
  /** The same in checkpoints of older code, which reads it: empty now. */
  remembered: string[];
  /** States of what lives beside the engine, by name. */
  companions: Record<string, unknown>;
}
