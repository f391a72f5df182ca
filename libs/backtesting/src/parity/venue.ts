import type { AnyEvent } from '@moon/events';
import {
  VenueRefused,
  type AccountSpec,
  type EventStore,
  type SignedCancel,
  type SignedOrder,
  type VenueReport,
} from '@moon/kernel';
import { createVenueEngine, type PartialVenueConfig, type VenueEngine, type VenueState } from '../venue';
import { jsonDifferences, sameJson } from './differences';
import type { PathDifference } from './report';

/** One input of a paper venue, as its journal keeps it. */
export type JournaledInput =
  | { k: 'config'; config: PartialVenueConfig }
  | { k: 'open'; spec: AccountSpec }
  | { k: 'market'; event: { id: string; type: string; occurredAt: number; data: unknown } }
  | { k: 'time'; ms: number }
  | { k: 'submit'; order: SignedOrder; rejectWith?: string }
  | { k: 'cancel'; request: SignedCancel };

/** A paper venue's journal, as far back as it is kept. */
export interface VenueJournal {
  /** What stands before the first input; null when the journal begins with the venue. */
  snapshot: { config: PartialVenueConfig; engine: VenueState } | null;
  inputs: Iterable<JournaledInput>;
}

/** Whether the venue's reports in the log are what its engine makes of the venue's own inputs. */
export interface VenueParity {
  /** Inputs of the journal that were handled again. */
  inputs: number;
  /** Reports that were made again and compared with the log's. */
  compared: number;
  /** Made again, but behind the end of the log. */
  pending: number;
  equal: boolean;
  firstDifference: { seq: number; id: string; portfolio: string; venueSeq: number; paths: PathDifference[] } | null;
  differences: number;
}

const PAGE_ROWS = 1_000;

interface Recorded {
  seq: number;
  id: string;
  data: Extract<AnyEvent, { type: 'venue.report' }>['data'];
}

/**
 * Hands a venue's recorded inputs to a fresh engine, and compares what it reports with the `venue.report`s of the log.
 * Reports are inputs of a run (rule 1), so this stands beside parity: it is the other half of the same promise. Live
 * latency is wall time; the journal holds when things reached the venue, so nothing has to be guessed.
 */
export async function checkVenue(store: EventStore, journal: VenueJournal): Promise<VenueParity> {
  const recorded = await readReports(store);
  const result: VenueParity = {
    ...{ inputs: 0, compared: 0, pending: 0, equal: true, firstDifference: null, differences: 0 },
  };
  const { snapshot } = journal;
  /** The first report of each portfolio that was made again. */
  const made = new Map<string, number>();
  let engine = createVenueEngine(snapshot?.config ?? {}, snapshot ? { snapshot: snapshot.engine } : {});
  for (const input of journal.inputs) {
    result.inputs += 1;
    if (input.k === 'config') {
      engine = createVenueEngine(input.config, { snapshot: engine.snapshot() });
      continue;
    }
    for (const report of handle(engine, input)) {
      made.set(report.portfolio, Math.min(report.venueSeq, made.get(report.portfolio) ?? Infinity));
      compare(report, recorded, result);
    }
  }
  for (const row of notMade(recorded, made, snapshot === null)) differ(row, null, result);
  result.equal = result.differences === 0;
  return result;
}

function compare(report: VenueReport, recorded: Map<string, Recorded>, result: VenueParity): void {
  const row = recorded.get(slot(report));
  if (!row) {
    result.pending += 1;
    return;
  }
  recorded.delete(slot(report));
  result.compared += 1;
  const made = { event_type: 'venue.report', ...report };
  if (!sameJson(row.data, made)) differ(row, made, result);
}

function differ({ seq, id, data }: Recorded, made: unknown, result: VenueParity): void {
  result.differences += 1;
  if (result.firstDifference !== null && result.firstDifference.seq < seq) return;
  const { portfolio, venueSeq } = data;
  result.firstDifference = { seq, id, portfolio, venueSeq, paths: jsonDifferences(data, made ?? undefined, 'data') };
}

/** Reports of the log that the journal should have brought about, and did not; what came before the journal is left out. */
function notMade(recorded: Map<string, Recorded>, made: Map<string, number>, isWhole: boolean): Recorded[] {
  return [...recorded.values()].filter(({ data }) => {
    return isWhole || data.venueSeq > (made.get(data.portfolio) ?? Infinity);
  });
}

/** What the venue refused left no trace in its books, and is refused again. */
function handle(engine: VenueEngine, input: Exclude<JournaledInput, { k: 'config' }>): readonly VenueReport[] {
  try {
    switch (input.k) {
      case 'market':
        return engine.market(input.event as unknown as AnyEvent);
      case 'time':
        return engine.advanceTo(input.ms);
      case 'submit':
        return engine.submit(input.order, input.rejectWith);
      case 'cancel':
        return engine.cancel(input.request);
      case 'open':
        engine.openAccount(input.spec);
        return [];
    }
  } catch (error) {
    if (error instanceof VenueRefused) return [];
    throw error;
  }
}

/** The reports of the log by portfolio and number: a few a fill, so they fit in memory. */
async function readReports(store: EventStore): Promise<Map<string, Recorded>> {
  const reports = new Map<string, Recorded>();
  let cursor: string | undefined;
  do {
    const page = await store.query({ types: ['venue.report'], limit: PAGE_ROWS, cursor });
    for (const { seq, event } of page.rows) {
      if (event.type === 'venue.report') reports.set(slot(event.data), { seq, id: event.id, data: event.data });
    }
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return reports;
}

function slot({ portfolio, venueSeq }: Pick<VenueReport, 'portfolio' | 'venueSeq'>): string {
  return `${portfolio}/${venueSeq}`;
}
