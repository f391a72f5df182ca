/** Kinds of what a ledger check finds, as the table of the faults names them. */
export type Kind = 'lost' | 'doubled' | 'reordered' | 'stuck' | 'venueDoubles';

/** Examples of a kind that are kept in words. */
const EXAMPLES = 5;

/** What a check found: how much of each kind, with examples. */
export class Findings {
  readonly counts: Record<Kind, number> = { lost: 0, doubled: 0, reordered: 0, stuck: 0, venueDoubles: 0 };
  readonly examples: string[] = [];
  private readonly shown = new Map<string, number>();

  /** @param what one sentence; its first words, up to a colon, group the examples */
  add(kind: Kind, what: string): void {
    this.counts[kind] += 1;
    const group = `${kind} ${what.split(':')[0] ?? ''}`;
    const shown = this.shown.get(group) ?? 0;
    this.shown.set(group, shown + 1);
    if (shown < EXAMPLES) this.examples.push(`${kind}: ${what}`);
  }

  get isClean(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }
}
