import type { AnyEvent } from '@moon/events';
import { Recovery } from '@moon/kernel';

/** What the replay emitted and the log has not shown yet. */
export interface Emission {
  event: AnyEvent;
  /** Position of the event whose handling made it. */
  causeSeq: number;
  /** Set once something that its emitter said later was found in the log before it. */
  isOverdue: boolean;
}

/** A recorded event's counterpart. */
export interface Counterpart {
  emission: Emission;
  /** What the same lane emitted before it and the log has not shown, unless that was told before. */
  passedOver: Emission[];
}

/** The lane of everything that lives on the main thread: one queue, so one order. */
export const MAIN_LANE = 'main';

/** A delivery that the log says was never made, because the agent took too long or its thread died. */
export type IsSkipped = (handler: string, key: string, seq: number) => boolean;

/**
 * Takes what handlers emit while the log is handled again, lane by lane. A lane is what has one order in a live run: all
 * handlers of the main thread together, and each agent by itself, for agents live in threads and their words enter the
 * log some time later, in the agent's own order.
 */
export class Emissions extends Recovery {
  private readonly lanes = new Map<string, Map<string, Emission>>();
  /** Position of the event that is being handled. */
  private at = 0;

  /** @param laneOf the lane of an event that a handler emitted; null for what is left out */
  constructor(
    private readonly laneOf: (event: AnyEvent) => string | null,
    private readonly isSkipped: IsSkipped,
  ) {
    super();
  }

  /** From here on what is emitted comes of the event at this position. */
  begin(seq: number): void {
    this.at = seq;
  }

  /** Only what wall time did is taken from the record; what threw is tried again, and must throw again. */
  override recordedFailure(handler: string, key: string, _eventId: string, seq: number): 'skipped' | undefined {
    return this.isSkipped(handler, key, seq) ? 'skipped' : undefined;
  }

  override output(event: AnyEvent): void {
    const name = this.laneOf(event);
    if (name === null) return;
    let lane = this.lanes.get(name);
    if (!lane) this.lanes.set(name, (lane = new Map()));
    lane.set(event.id, { event, causeSeq: this.at, isOverdue: false });
  }

  /** Finds what the replay emitted in place of a recorded event, and takes it off its lane. */
  take(lane: string, id: string): Counterpart | null {
    const waiting = this.lanes.get(lane);
    const emission = waiting?.get(id);
    if (!waiting || !emission) return null;
    const passedOver: Emission[] = [];
    for (const other of waiting.values()) {
      if (other === emission) break;
      if (!other.isOverdue) passedOver.push(other);
      other.isOverdue = true;
    }
    waiting.delete(id);
    return { emission, passedOver };
  }

  /** What a lane is to say next that the log does not have, of the same cause: the likely counterpart of a foreign event. */
  nextOf(lane: string, causationId: string | null): AnyEvent | null {
    for (const { event } of this.lanes.get(lane)?.values() ?? []) if (event.causationId === causationId) return event;
    return null;
  }

  /** Everything that the log has not shown, lane by lane in the order in which it was emitted. */
  *left(): Iterable<{ lane: string; emission: Emission }> {
    for (const [lane, waiting] of this.lanes) {
      for (const emission of waiting.values()) yield { lane, emission };
    }
  }
}
