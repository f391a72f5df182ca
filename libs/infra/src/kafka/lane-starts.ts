import type { BusPartition } from '@moon/kernel';
import type { Lane } from './lane';
import type { Kept, Positions } from './positions';

export interface LaneStartsOptions {
  /** Where a partition starts whose position neither its owner nor the group knows. */
  from: 'beginning' | 'end';
  /** Tells the owner that offsets from `wanted` to below `first` are on the broker no more. */
  expired: (from: BusPartition, wanted: number, first: number) => Promise<void>;
  isStopped: () => boolean;
  onTrouble: (problem: string) => void;
}

const RETRY_MS = 300;
const LOOK_AGAIN_MS = 1_000;
/** Looks at a broker that is behind, from one line about it to the next. */
const LOOKS_A_LINE = 10;

/** Readers know more than the broker: messages were lost there, unless it is about to see them again. */
class BehindPosition extends Error {
  constructor({ topic, partition }: BusPartition, wanted: number, high: number) {
    super(
      `${topic}/${partition} ends at ${high} on the broker, but was read up to ${wanted}; waiting for its replicas. ` +
        'If this stays, the broker has lost messages: see docs/runbooks/distributed.md, “A position beyond the end”.',
    );
  }
}

/** Finds where lanes start, and what it means when the broker goes on elsewhere than was asked for. */
export class LaneStarts {
  constructor(
    private readonly positions: Positions,
    private readonly options: LaneStartsOptions,
  ) {}

  /**
   * Where the owner named no position, the group's; and what has expired is told before anything newer comes.
   * @param started told of every lane as soon as its start is known: none waits for one that the broker is behind of
   */
  async find(lanes: readonly Lane[], started: (lane: Lane) => void): Promise<void> {
    const open = new Set(lanes);
    while (open.size > 0 && !this.options.isStopped()) {
      try {
        const topics = [...new Set([...open].map(({ topic }) => topic))];
        const committed = await this.positions.committed(topics);
        // One topic after the other: the client asks for the metadata of all of them each time, under one lock.
        for (const topic of topics) {
          const kept = await this.positions.kept(topic);
          for (const lane of open) {
            if (lane.topic !== topic) continue;
            await this.start(lane, kept.get(lane.partition)!, committed.get(topic)?.get(lane.partition) ?? null);
            open.delete(lane);
            started(lane);
          }
        }
      } catch (error) {
        this.options.onTrouble(`finding where to start: ${error instanceof Error ? error.message : String(error)}`);
        await pause(RETRY_MS);
      }
    }
  }

  /**
   * Looks why the broker answers with other offsets than those asked for; returns when it is worth asking again. One that ends
   * before what was read is asked until it does no more.
   * @param asked the offset that its answers begin with
   */
  async explain(lane: Lane, asked: number): Promise<void> {
    const wanted = lane.next;
    for (let looks = 0; wanted !== null && wanted === lane.next && !this.options.isStopped(); looks += 1) {
      const kept = (await this.positions.kept(lane.topic)).get(lane.partition);
      if (kept === undefined) return;
      if (wanted <= kept.high) {
        // Expired, or nothing that a reader sees (an aborted transaction): what is left is let through, and the hole is told of.
        if (asked > wanted) lane.hole = asked;
        return;
      }
      if (looks % LOOKS_A_LINE === 0) this.options.onTrouble(new BehindPosition(lane, wanted, kept.high).message);
      await pause(LOOK_AGAIN_MS);
    }
  }

  /** A hole in the log: expired when the broker keeps nothing older; else compacted or of an aborted transaction. */
  async skipped(from: BusPartition, wanted: number, first: number): Promise<void> {
    const low = (await this.positions.kept(from.topic)).get(from.partition)?.low ?? 0;
    if (low > wanted) return this.options.expired(from, wanted, low);
    const place = `${from.topic}/${from.partition}`;
    this.options.onTrouble(`${place} has nothing from ${wanted} to below ${first}, and goes on behind it`);
  }

  private async start(lane: Lane, { low, high }: Kept, committed: number | null): Promise<void> {
    const wanted = lane.next ?? committed;
    lane.end = high;
    // A leader that was just elected learns late how far its replicas are: what was read once comes back into sight.
    // The lane asks for it, and is answered by `explain`: the others go on.
    if (wanted !== null && wanted < low)
      await this.options.expired({ topic: lane.topic, partition: lane.partition }, wanted, low);
    if (wanted !== null) lane.seek(Math.max(lane.next ?? wanted, low));
    else lane.seek(lane.next ?? (this.options.from === 'end' ? high : low));
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
