import type { VenueReport } from '@moon/kernel';

/** Market events that were handled, newest last, and the reports that each of them handed out. Plain JSON. */
export interface InputMemoryState {
  ids: string[];
  /** By event id: [portfolio, venueSeq] of its reports; events without reports are left out. */
  answers: Record<string, [string, number][]>;
}

const NONE: readonly [string, number][] = [];

/** Remembers the newest market events, so that one that comes again is not handled again. */
export class InputMemory {
  private readonly known: Map<string, readonly [string, number][]>;

  /** @param most how many are remembered; 0 = none, every event is new */
  constructor(
    private readonly most: number,
    state: InputMemoryState = { ids: [], answers: {} },
  ) {
    const kept = most === 0 ? [] : state.ids.slice(-most);
    this.known = new Map(kept.map((id) => [id, state.answers[id] ?? NONE]));
  }

  /** [portfolio, venueSeq] of the reports that the event handed out; undefined for one that is not remembered. */
  answerTo(id: string): readonly [string, number][] | undefined {
    return this.known.get(id);
  }

  note(id: string, reports: readonly VenueReport[]): void {
    if (this.most === 0) return;
    this.known.set(id, reports.length === 0 ? NONE : reports.map((report) => [report.portfolio, report.venueSeq]));
    if (this.known.size <= this.most) return;
    const oldest = this.known.keys().next();
    if (!oldest.done) this.known.delete(oldest.value);
  }

  /** venueSeq → event id of a portfolio's reports above `venueSeq` that market events handed out. */
  causes(portfolio: string, venueSeq: number): Record<number, string> {
    const causes: Record<number, string> = {};
    for (const [id, answer] of this.known) {
      for (const [owner, seq] of answer) if (owner === portfolio && seq > venueSeq) causes[seq] = id;
    }
    return causes;
  }

  state(): InputMemoryState {
    const answers: InputMemoryState['answers'] = {};
    for (const [id, answer] of this.known) if (answer.length > 0) answers[id] = [...answer];
    return { ids: [...this.known.keys()], answers };
  }
}
