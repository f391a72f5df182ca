import { FIRST_NAME, type DecisionColumns, type EmbeddedReport, type OriginColumns } from '../embedded';

/** The columns of a report with its ids and times put back. */
export class Unpacked {
  private readonly bytes: string;

  constructor(readonly report: EmbeddedReport) {
    this.bytes = atob(report.uuids);
  }

  /** The id at a place of the pool; null for none. Ids are made when they are shown: most never are. */
  id(place: number): string | null {
    if (place < 0) return this.report.names[FIRST_NAME - place] ?? null;
    let hex = '';
    for (let i = place * 16; i < place * 16 + 16; i += 1) hex += this.bytes.charCodeAt(i).toString(16).padStart(2, '0');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  /** The place of an id in the pool; −1 when the report does not know it. */
  place(id: string): number {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
      const name = this.report.names.indexOf(id);
      return name === -1 ? -1 : FIRST_NAME - name;
    }
    const hex = id.replaceAll('-', '');
    let wanted = '';
    for (let i = 0; i < 32; i += 2) wanted += String.fromCharCode(parseInt(hex.slice(i, i + 2), 16));
    for (let at = this.bytes.indexOf(wanted); at !== -1; at = this.bytes.indexOf(wanted, at + 1)) {
      if (at % 16 === 0) return at / 16;
    }
    return -1;
  }

  /** The command that prints the chain of an event from the run under which a saved report keeps its events. */
  traceCommand = (id: string): string => `moon trace ${id} --run backtest-${this.report.runId}`;

  instrument = (place: number): string => this.report.instruments[place] ?? '';

  agents(origin: OriginColumns, trade: number): { agent: string; share: number }[] {
    const flat = origin.agents[trade] ?? [];
    return flat.flatMap((place, i) =>
      i % 2 === 0 ? [{ agent: this.report.agents[place] ?? '', share: (flat[i + 1] ?? 0) / 1_000 }] : [],
    );
  }

  votes(decisions: DecisionColumns, decision: number) {
    const flat = decisions.votes[decision] ?? [];
    const votes = [];
    for (let i = 0; i < flat.length; i += 6) {
      const [agent = 0, action = -1, confidence = 0, score = 0, weight = 0, counted = 0] = flat.slice(i, i + 6);
      votes.push({ agent: this.report.agents[agent] ?? '', action, confidence, score, weight, counted: counted === 1 });
    }
    return votes;
  }
}

/** Running sums: the inverse of the differences that times are stored as. */
export function running(differences: readonly number[]): number[] {
  let sum = 0;
  return differences.map((difference) => (sum += difference));
}
