/** Kinds of data that are told apart in the list. */
export type LaneKind =
  'bars' | 'trades' | 'quotes' | 'marks' | 'book' | 'oracle' | 'funding' | 'liquidations' | 'sentiment';

/** A stretch without data, epoch ms: of bars from the end of the last one to the opening of the next, else from row to row. */
export interface Gap {
  from: number;
  to: number;
  /** Rows that it lacks; null where rows come as they come. */
  missing: number | null;
}

/** Counts over one kind of data of one instrument. */
export interface Lane {
  instrument: string;
  kind: LaneKind;
  /** 0 where rows come as they come. */
  intervalMs: number;
  rows: number;
  firstAt: number;
  lastAt: number;
  gapCount: number;
  missingRows: number;
  gaps: Gap[];
  zeroVolumeRows: number;
  /** Rows that stand where one stood before, where an instant has one row only. */
  repeats: number;
  outOfOrder: number;
  /** Of a book: number of its last update; 0 = none yet. */
  updateId: number;
}

/** As many gaps are listed one by one; all are counted. */
const LISTED_GAPS = 50;

export function newLane(instrument: string, kind: LaneKind, intervalMs: number): Lane {
  const none = { rows: 0, firstAt: 0, lastAt: 0, gapCount: 0, missingRows: 0, zeroVolumeRows: 0 };
  return { instrument, kind, intervalMs, ...none, gaps: [], repeats: 0, outOfOrder: 0, updateId: 0 };
}

/** Counts a row; false when it is not newer than all before: then it ends no gap. */
export function take(lane: Lane, at: number): boolean {
  lane.rows += 1;
  if (at > lane.lastAt) {
    if (lane.rows === 1) lane.firstAt = at;
    lane.lastAt = at;
    return true;
  }
  if (at < lane.lastAt) lane.outOfOrder += 1;
  else if (lane.intervalMs > 0) lane.repeats += 1;
  return false;
}

/** @param missing 0 where rows come as they come */
export function noteGap(lane: Lane, from: number, to: number, missing: number): void {
  lane.gapCount += 1;
  lane.missingRows += missing;
  const gap = { from, to, missing: lane.intervalMs > 0 ? missing : null };
  if (lane.gaps.length < LISTED_GAPS) {
    lane.gaps.push(gap);
    return;
  }
  let shortest = 0;
  for (let index = 1; index < lane.gaps.length; index += 1) {
    if (lengthOf(lane.gaps[index]) < lengthOf(lane.gaps[shortest])) shortest = index;
  }
  if (lengthOf(gap) > lengthOf(lane.gaps[shortest])) lane.gaps[shortest] = gap;
}

const lengthOf = (gap: Gap | undefined): number => (gap ? gap.to - gap.from : 0);
