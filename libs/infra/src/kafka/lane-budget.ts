import type { Lane } from './lane';

export interface LaneLimits {
  /** What one partition may hold in memory before it is fetched no more; default 512 KiB. */
  laneBytes?: number;
  /** The same of all together; default 64 MiB. */
  totalBytes?: number;
}

export interface BudgetedLanes {
  lanes: () => Iterable<Lane>;
  /** Stops fetching for a lane, or goes on. */
  hold: (lane: Lane, isHeld: boolean) => void;
}

const LANE_BYTES = 524_288;
const TOTAL_BYTES = 67_108_864;

/** Back-pressure by bytes: fetches no more for a lane that holds enough, and again for one that has worked off half of it. */
export class LaneBudget {
  private readonly laneBytes: number;
  private readonly totalBytes: number;

  constructor(
    { laneBytes = LANE_BYTES, totalBytes = TOTAL_BYTES }: LaneLimits,
    private readonly of: BudgetedLanes,
  ) {
    this.laneBytes = laneBytes;
    this.totalBytes = totalBytes;
  }

  weigh(lane: Lane): void {
    const isFull = this.total >= this.totalBytes;
    if (lane.bytes >= this.laneBytes || (isFull && lane.bytes > 0)) this.of.hold(lane, true);
    else if (lane.bytes <= this.laneBytes / 2) this.of.hold(lane, false);
  }

  /** Looks again at the lanes that are held. */
  weighAll(): void {
    for (const lane of this.of.lanes()) if (lane.holds.has('bytes')) this.weigh(lane);
  }

  private get total(): number {
    let total = 0;
    for (const { bytes } of this.of.lanes()) total += bytes;
    return total;
  }
}
