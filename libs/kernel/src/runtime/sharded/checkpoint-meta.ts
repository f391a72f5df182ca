import type { EngineSnapshot } from '../../core/checkpoint';
import type { HeardState } from './heard-streams';

/** What a checkpoint of a shard holds beside states, positions and ids. */
export interface CheckpointMeta {
  engine?: EngineSnapshot;
  /** Versions of its own streams. */
  streams?: Record<string, number>;
  /** In checkpoints of older code: not there, and `streams` has every order that ever was. */
  hasOpenOrdersOnly?: true;
  /** Streams of others; not there in checkpoints of older code. */
  heard?: HeardState;
}
