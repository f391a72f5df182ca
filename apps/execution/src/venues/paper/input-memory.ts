import type { VenueReport } from '@moon/kernel';

/** Market events that were handled, newest last, and the reports that each of them handed out. Plain JSON. */
export interface InputMemoryState {
  ids: string[];
  /** By event id: [portfolio, venueSeq] of what was answered, and `true` behind what another call had handed out; events without reports are left out. */
  answers: Record<string, Reference[]>;
  /** By portfolio: its newest report that only one caller got, since the last market event. */
  unheard?: Record<string, number>;
}

type Reference = readonly [portfolio: string, venueSeq: number, isAgain?: true];
const NONE: readonly Reference[] = [];

/**
 * Remembers the newest market events, so that one that comes again is not handled again: at least `most` of them, at
 * most twice as many. Two generations instead of a queue, because taking the oldest out of a large Map one by one is slow.
 */
export class InputMemory {
  private young = new Map<string, readonly Reference[]>();
  private old: Map<string, readonly Reference[]>;
  /** Where several callers share the venue: what one of them was answered, until all hear of it. */
  private readonly unheard: Map<string, number>;

  /** @param most how many are remembered at least; 0 = none, every event is new */
  constructor(
    private readonly most: number,
    state: InputMemoryState = { ids: [], answers: {} },
  ) {
    const kept = most === 0 ? [] : state.ids.slice(-2 * most);
    this.old = new Map(kept.map((id) => [id, state.answers[id] ?? NONE]));
    this.unheard = new Map(Object.entries(state.unheard ?? {}));
  }

  /** The reports that the event was answered with; undefined for an event that is not remembered. */
  answerTo(id: string): readonly Reference[] | undefined {
    return this.young.get(id) ?? this.old.get(id);
  }

  /** The event handed these out, and is answered with what only one caller had got before it: every caller tells each event. */
  note(id: string, reports: readonly VenueReport[]): void {
    if (this.most === 0) return;
    if (this.young.size >= this.most) {
      this.old = this.young;
      this.young = new Map();
    }
    const again = [...this.unheard].map(([portfolio, seq]): Reference => [portfolio, seq, true]);
    this.unheard.clear();
    const own = reports.map((report): Reference => [report.portfolio, report.venueSeq]);
    this.young.set(id, again.length + own.length === 0 ? NONE : [...again, ...own]);
  }

  /** Reports that a call handed out which its caller alone made. The newest of a portfolio is enough: whoever misses one asks for all. */
  noteUnheard(reports: readonly VenueReport[]): void {
    if (this.most === 0) return;
    for (const { portfolio, venueSeq } of reports) this.unheard.set(portfolio, venueSeq);
  }

  /** venueSeq → event id of a portfolio's reports above `venueSeq` that market events handed out. */
  causes(portfolio: string, venueSeq: number): Record<number, string> {
    const causes: Record<number, string> = {};
    for (const generation of [this.old, this.young]) {
      for (const [id, answer] of generation) {
        for (const [owner, seq, isAgain] of answer)
          if (owner === portfolio && seq > venueSeq && !isAgain) causes[seq] = id;
      }
    }
    return causes;
  }

  state(): InputMemoryState {
    const answers: InputMemoryState['answers'] = {};
    const ids = [...this.old.keys(), ...this.young.keys()];
    for (const id of ids) {
      const answer = this.answerTo(id);
      if (answer && answer.length > 0) answers[id] = [...answer];
    }
    return { ids, answers, ...(this.unheard.size > 0 && { unheard: Object.fromEntries(this.unheard) }) };
  }
}
