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

/** Readers know more than the broker: messages were lost there, unless it is about to see them again. */
export class BehindPosition extends Error {
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

  /** Where the owner named no position, the group's; and what has expired is told before anything newer comes. */
  async find(lanes: readonly Lane[]): Promise<void> {
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
          }
        }
      } catch (error) {
        this.options.onTrouble(`finding where to start: ${error instanceof Error ? error.message : String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /**
   * Looks why the broker answers with other offsets than those asked for, and lets what is there through.
   * @param asked the offset that its answers begin with
   * @throws BehindPosition the broker ends before what was read
   */
  async explain(lane: Lane, asked: number): Promise<void> {
    const wanted = lane.next;
    const kept = (await this.positions.kept(lane.topic)).get(lane.partition);
    if (wanted === null || wanted !== lane.next || kept === undefined) return;
    if (wanted > kept.high) throw new BehindPosition(lane, wanted, kept.high);
    // Expired, or nothing that a reader sees: what comes behind it is let through, and the hole is told of.
    if (asked > wanted) lane.hole = asked;
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
    if (wanted !== null && wanted > high) throw new BehindPosition(lane, wanted, high);
    if (wanted !== null && wanted < low)
      await this.options.expired({ topic: lane.topic, partition: lane.partition }, wanted, low);
    lane.seek(wanted === null ? (this.options.from === 'end' ? high : low) : Math.max(wanted, low));
  }
}
