import type { Lane } from './lane';
import type { Positions } from './positions';

const EVERY_MS = 5000;

export interface LaneEndsOptions {
  lanes: () => Iterable<Lane>;
  onError: (error: unknown, topic: string) => void;
}

/** Asks now and then for the ends of partitions that are not fetched: a lane that is held hears of its own no more. */
export class LaneEnds {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly positions: Pick<Positions, 'kept'>,
    private readonly options: LaneEndsOptions,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.refresh(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    const held = new Set([...this.options.lanes()].filter(({ holds }) => holds.size > 0).map(({ topic }) => topic));
    for (const topic of held) {
      try {
        const kept = await this.positions.kept(topic);
        for (const lane of this.options.lanes()) {
          const end = lane.topic === topic ? kept.get(lane.partition) : undefined;
          if (end !== undefined) lane.end = Math.max(lane.end, end.high);
        }
      } catch (error) {
        this.options.onError(error, topic);
      }
    }
  }
}
