import { canonicalHash, canonicalJson, type Checkpoint, type HandlerState } from '@moon/kernel';
import { jsonDifferences } from './differences';
import type { Divergence, StateComparison } from './report';
import type { Stage } from './stage';

/** How far an agent had come at a checkpoint. */
interface Position {
  seq: number;
  silentUpTo: number;
}

/**
 * Compares the replay's states with those of the run's newest checkpoint, as rule 6 sees them: the main thread's at the
 * checkpoint's position, each agent's at the position that it had come to.
 */
export class StateCheck {
  private readonly positions: Readonly<Record<string, Position>>;
  /** Recorded states by the position at which they are to be compared. */
  private readonly due = new Map<number, HandlerState[]>();
  private readonly recorded: Record<string, unknown> = {};
  private readonly replayed: Record<string, unknown> = {};
  private isDone = false;

  constructor(private readonly checkpoint: Checkpoint) {
    this.positions = (checkpoint.meta.agents ?? {}) as Record<string, Position>;
    for (const { handler, key, state } of checkpoint.entries) {
      const seq = this.positions[handler]?.seq ?? checkpoint.seq;
      const entry = { ...(state as Omit<HandlerState, 'handler' | 'key'>), handler, key };
      const entries = this.due.get(seq);
      if (entries) entries.push(entry);
      else this.due.set(seq, [entry]);
    }
  }

  /** Position up to which everything that a lane emitted is certainly in the log. */
  saidUpTo(lane: string, isMain: boolean): number {
    return isMain ? this.checkpoint.seq : (this.positions[lane]?.silentUpTo ?? 0);
  }

  /** To be called after the row at `seq` was handled; answers states that differ. */
  at(seq: number, stage: Stage): Divergence[] {
    if (seq >= this.checkpoint.seq) this.isDone = true;
    const entries = this.due.get(seq);
    if (!entries) return [];
    const states = new Map(stage.states().map((state) => [`${state.handler}/${state.key}`, state]));
    return entries.flatMap((entry) => {
      if (!stage.has(entry.handler)) return [];
      const name = `${entry.handler}/${entry.key}`;
      const state = states.get(name);
      const [recorded, replayed] = [stage.view(entry), state === undefined ? null : stage.view(state)];
      this.recorded[name] = recorded;
      // What it is by now must not change with the state.
      this.replayed[name] = JSON.parse(JSON.stringify(replayed ?? null)) as unknown;
      if (canonicalJson(recorded) === canonicalJson(replayed ?? null)) return [];
      return [divergence(seq, entry, recorded, this.replayed[name])];
    });
  }

  /** What to report; null when the replay did not come as far as the checkpoint. */
  result(): StateComparison | null {
    if (!this.isDone) return null;
    const [recorded, replayed] = [canonicalHash(this.recorded), canonicalHash(this.replayed)];
    const { seq } = this.checkpoint;
    return { seq, states: Object.keys(this.recorded).length, recorded, replayed, equal: recorded === replayed };
  }
}

function divergence(seq: number, { handler, key }: HandlerState, recorded: unknown, replayed: unknown): Divergence {
  const says = `The checkpoint at ${seq} holds another state of ${handler} for ${key} than the replay.`;
  const paths = jsonDifferences(recorded, replayed, 'state');
  return { kind: 'state', seq, type: 'state', key, handler, says, paths, recorded: null, replayed: null };
}
