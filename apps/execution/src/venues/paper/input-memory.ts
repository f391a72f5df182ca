import type { VenueReport } from '@moon/kernel';

/** Market events that were handled, newest last, and the reports that each of them handed out. Plain JSON. */
export interface InputMemoryState {
  ids: string[];
  /** By event id: [portfolio, venueSeq] of its reports; events without reports are left out. */
  answers: Record<string, [string, number][]>;
}

type Reference = readonly [portfolio: string, venueSeq: number];
const NONE: readonly Reference[] = [];

/**
 * Remembers the newest market events, so that one that comes again is not handled again: at least `most` of them, at
 * most twice as many. Two generations instead of a queue, because taking the oldest out of a large Map one by one is slow.
 */
export class InputMemory {
  private young = new Map<string, readonly Reference[]>();
  private old: Map<string, readonly Reference[]>;

  /** @param most how many are remembered at least; 0 = none, every event is new */
  constructor(
    private readonly most: number,
    state: InputMemoryState = { ids: [], answers: {} },
  ) {
    const kept = most === 0 ? [] : state.ids.slice(-2 * most);
    this.old = new Map(kept.map((id) => [id, state.answers[id] ?? NONE]));
  }

  /** The reports that the event handed out; undefined for an event that is not remembered. */
  answerTo(id: string): readonly Reference[] | undefined {
    return this.young.get(id) ?? this.old.get(id);
  }

  note(id: string, reports: readonly VenueReport[]): void {
    if (this.most === 0) return;
    if (this.young.size >= this.most) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(id, reports.length === 0 ? NONE : reports.map((report) => [report.portfolio, report.venueSeq]));
  }

  /** venueSeq → event id of a portfolio's reports above `venueSeq` that market events handed out. */
  causes(portfolio: string, venueSeq: number): Record<number, string> {
    const causes: Record<number, string> = {};
    for (const generation of [this.old, this.young]) {
      for (const [id, answer] of generation) {
        for (const [owner, seq] of answer) if (owner === portfolio && seq > venueSeq) causes[seq] = id;
      }
    }
    return causes;
  }

  state(): InputMemoryState {
    const answers: InputMemoryState['answers'] = {};
    const ids = [...this.old.keys(), ...this.young.keys()];
    for (const id of ids) {
      const answer = this.answerTo(id);
      if (answer && answer.length > 0) answers[id] = answer.map(([portfolio, seq]) => [portfolio, seq]);
    }
    return { ids, answers };
  }
}
