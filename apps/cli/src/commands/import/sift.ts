import type { AnyEvent } from '@moon/events';
import { conflictKey, factName } from './conflict-key';

/** What a log already holds, as far as an import must know it. */
export interface KnownFacts {
  /** Those of the ids that are stored. */
  knownIds(events: readonly AnyEvent[]): Promise<ReadonlySet<string>>;
  /** Stored facts of the same types and tokens at exactly the same instants. */
  factsBeside(events: readonly AnyEvent[]): Promise<readonly AnyEvent[]>;
}

export interface SiftCounts {
  events: number;
  alreadyThere: number;
  repeatedEvents: number;
  conflictingEvents: number;
}

/**
 * Lets through what is new. An event that is stored is passed over (rule 3: the same fact has the same id); so is one that
 * contradicts what came first, which is reported. Events come in the order of time, so only those of one instant are
 * compared with each other.
 */
export class Sift {
  readonly counts: SiftCounts = { events: 0, alreadyThere: 0, repeatedEvents: 0, conflictingEvents: 0 };
  private instant = Number.NEGATIVE_INFINITY;
  private readonly ids = new Set<string>();
  private readonly facts = new Map<string, string>();

  /** @param known null when the log was empty at the start */
  constructor(
    private readonly known: KnownFacts | null,
    private readonly onConflict: (text: string) => void,
  ) {}

  async newOf(batch: readonly AnyEvent[]): Promise<AnyEvent[]> {
    this.counts.events += batch.length;
    const stored = (await this.known?.knownIds(batch)) ?? new Set<string>();
    const unknown = batch.filter(({ id }) => !stored.has(id));
    const storedFacts = await this.storedFacts(unknown);
    const fresh: AnyEvent[] = [];
    for (const event of batch) {
      this.moveTo(event.occurredAt);
      const key = conflictKey(event);
      if (this.ids.has(event.id)) this.counts.repeatedEvents += 1;
      else if (stored.has(event.id)) this.counts.alreadyThere += 1;
      else if (key !== null && this.isTaken(key, event, storedFacts)) this.conflict(event);
      else fresh.push(event);
      this.ids.add(event.id);
      if (key !== null && !this.facts.has(key)) this.facts.set(key, event.id);
    }
    return fresh;
  }

  private async storedFacts(unknown: readonly AnyEvent[]): Promise<ReadonlyMap<string, string>> {
    const single = unknown.filter((event) => conflictKey(event) !== null);
    if (!this.known || single.length === 0) return new Map();
    const found = await this.known.factsBeside(single);
    return new Map(found.map((event) => [conflictKey(event) ?? event.id, event.id]));
  }

  private isTaken(key: string, { id }: AnyEvent, storedFacts: ReadonlyMap<string, string>): boolean {
    const holder = this.facts.get(key) ?? storedFacts.get(key);
    return holder !== undefined && holder !== id;
  }

  private conflict(event: AnyEvent): void {
    this.counts.conflictingEvents += 1;
    this.onConflict(`${factName(event)} is stored, or came first, with other values`);
  }

  private moveTo(instant: number): void {
    if (instant === this.instant) return;
    this.instant = instant;
    this.ids.clear();
    this.facts.clear();
  }
}
