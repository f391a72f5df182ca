import type { AnyEvent, EmitData } from '@moon/events';
import { RULES } from './data-rules';
import { newLane, noteGap, take, type Gap, type Lane, type LaneKind } from './data-lane';

/** What the reader of the files has already set aside; a source that is no file has nothing to say here. */
export interface ReaderCounts {
  /** Exact repeats that were collapsed. */
  duplicatesCollapsed: number;
  /** Same key, other values: the first one counts. */
  conflicts: number;
  /** Refused rows by reason, as the reader counts them; its `conflict` is left out of the list, it has a count of its own. */
  refusedByReason: Readonly<Record<string, number>>;
}

/** What was seen of one kind of data of one instrument (sentiment: of one token). Times are epoch ms, UTC. */
export interface InstrumentQuality {
  instrument: string;
  kind: LaneKind;
  rows: number;
  /** Of bars: opening of the first one and end of the last. */
  firstAt: number;
  lastAt: number;
  /** Distance at which rows are due, ms: of a bar its length, of funding its interval; null where rows come as they come. */
  intervalMs: number | null;
  gapCount: number;
  /** Rows that the gaps lack; null where no distance is due. */
  missingRows: number | null;
  /** The longest gaps, at most 50, in order of time; `missing` is null where no distance is due. */
  gaps: Gap[];
  /** Bars of volume 0. */
  zeroVolumeRows: number;
}

export interface DataQualityReport {
  /** In order of instrument, kind and interval. */
  instruments: InstrumentQuality[];
  duplicatesCollapsed: number;
  conflicts: number;
  /** Rows that came after a newer one of their kind. */
  outOfOrder: number;
  refusedByReason: Record<string, number>;
  /** What is done about each of these, one sentence each. */
  rules: string[];
}

/** Watches the events of a run for what a reader of its report must know about the data. */
export interface DataQuality {
  /** Takes an event in its recorded order; other events than market data are passed over. Allocates nothing per row. */
  observe(event: AnyEvent): void;
  /** What was seen so far, with what the reader set aside. */
  report(reader?: ReaderCounts): DataQualityReport;
}

const HOUR_MS = 3_600_000;

/** @returns a watch of its own for each run */
export function createDataQuality(): DataQuality {
  const byInstrument = new Map<string, Lane[]>();
  /** Bars of one instrument come in a row: the lane of the last one is most often that of the next. */
  let recent: Lane | undefined;

  function laneOf(instrument: string, kind: LaneKind, intervalMs: number): Lane {
    const known = recent;
    if (known && known.instrument === instrument && known.kind === kind && known.intervalMs === intervalMs)
      return known;
    let lanes = byInstrument.get(instrument);
    if (!lanes) byInstrument.set(instrument, (lanes = []));
    for (const lane of lanes) if (lane.kind === kind && lane.intervalMs === intervalMs) return (recent = lane);
    const lane = newLane(instrument, kind, intervalMs);
    lanes.push(lane);
    return (recent = lane);
  }

  function takeBar(bar: EmitData<'bar.closed'>): void {
    const lane = laneOf(bar.instrument, 'bars', bar.intervalMs);
    const due = lane.lastAt;
    if (take(lane, bar.timestamp)) {
      if (due === 0) lane.firstAt = bar.openedAt;
      else if (bar.openedAt > due) {
        noteGap(lane, due, bar.openedAt, Math.round((bar.openedAt - due) / bar.intervalMs));
      }
    }
    if (bar.volume === 0) lane.zeroVolumeRows += 1;
  }

  function takeFunding(update: EmitData<'funding.update'>): void {
    if (update.status !== 'settled') return;
    const intervalMs = update.intervalHours * HOUR_MS;
    const lane = laneOf(update.instrument, 'funding', intervalMs);
    const before = lane.lastAt;
    if (!take(lane, update.settlesAt) || before === 0) return;
    const missing = Math.round((update.settlesAt - before) / intervalMs) - 1;
    if (missing > 0) noteGap(lane, before, update.settlesAt, missing);
  }

  function takeLoose(instrument: string, kind: LaneKind, at: number): void {
    const lane = laneOf(instrument, kind, 0);
    const before = lane.lastAt;
    if (take(lane, at) && before > 0 && at - before > SILENCE_MS[kind]) noteGap(lane, before, at, 0);
  }

  /** A gap of a book is one in the numbers of its updates, or a long silence. */
  function takeBook(told: EmitData<'book.snapshot'> | EmitData<'book.delta'>, at: number): void {
    const lane = laneOf(told.instrument, 'book', 0);
    const before = lane.lastAt;
    take(lane, at);
    const isDelta = 'lastUpdateId' in told;
    const follows = isDelta ? (told.previousUpdateId ?? told.firstUpdateId - 1) : lane.updateId;
    const isMissing = isDelta && lane.updateId > 0 && follows > lane.updateId && told.firstUpdateId > lane.updateId;
    if (isMissing || (before > 0 && at - before > SILENCE_MS.book)) noteGap(lane, before, at, 0);
    lane.updateId = Math.max(lane.updateId, isDelta ? told.lastUpdateId : (told.updateId ?? 0));
  }

  return {
    observe(event) {
      switch (event.type) {
        case 'bar.closed':
          if (event.data.derived !== true) takeBar(event.data);
          return;
        case 'price.tick':
          takeLoose(event.data.instrument, KIND_OF_TICK[event.data.kind], event.occurredAt);
          return;
        case 'book.snapshot':
        case 'book.delta':
          takeBook(event.data, event.occurredAt);
          return;
        case 'funding.update':
          takeFunding(event.data);
          return;
        case 'market.liquidation':
          takeLoose(event.data.instrument, 'liquidations', event.occurredAt);
          return;
        case 'market.sentiment':
          takeLoose(event.data.token, 'sentiment', event.occurredAt);
          return;
        default:
          return;
      }
    },
    report(reader = { duplicatesCollapsed: 0, conflicts: 0, refusedByReason: {} }) {
      const lanes = [...byInstrument.values()].flat().sort(inOrder);
      return {
        instruments: lanes.map(qualityOf),
        duplicatesCollapsed: reader.duplicatesCollapsed + sum(lanes, (lane) => lane.repeats),
        conflicts: reader.conflicts,
        outOfOrder: sum(lanes, (lane) => lane.outOfOrder),
        refusedByReason: withoutConflicts(reader.refusedByReason),
        rules: [...RULES],
      };
    },
  };
}

const KIND_OF_TICK = {
  last: 'trades',
  bid: 'quotes',
  ask: 'quotes',
  mark: 'marks',
  oracle: 'oracle',
} as const satisfies Record<EmitData<'price.tick'>['kind'], LaneKind>;

/** Longer silence than this is listed as a gap, where rows come as they come; sentiment and liquidations are rare by nature. */
const SILENCE_MS: Record<LaneKind, number> = {
  bars: 0,
  funding: 0,
  trades: HOUR_MS,
  quotes: HOUR_MS,
  book: HOUR_MS,
  marks: HOUR_MS,
  oracle: HOUR_MS,
  liquidations: Number.POSITIVE_INFINITY,
  sentiment: Number.POSITIVE_INFINITY,
};

function qualityOf(lane: Lane): InstrumentQuality {
  const { instrument, kind, rows, firstAt, lastAt, intervalMs, gapCount, missingRows, zeroVolumeRows } = lane;
  const isDue = intervalMs > 0;
  return {
    ...{ instrument, kind, rows, firstAt, lastAt },
    intervalMs: isDue ? intervalMs : null,
    gapCount,
    missingRows: isDue ? missingRows : null,
    gaps: lane.gaps.map((gap) => ({ ...gap })).sort((a, b) => a.from - b.from),
    zeroVolumeRows,
  };
}

function inOrder(a: Lane, b: Lane): number {
  if (a.instrument !== b.instrument) return a.instrument < b.instrument ? -1 : 1;
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.intervalMs - b.intervalMs;
}

function withoutConflicts({
  conflict: _counted,
  ...refused
}: Readonly<Record<string, number>>): Record<string, number> {
  return refused;
}

const sum = (lanes: readonly Lane[], count: (lane: Lane) => number): number =>
  lanes.reduce((total, lane) => total + count(lane), 0);
