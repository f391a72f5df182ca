import type { AnyEvent } from '@moon/events';
import { conflictKey, factName } from './conflict-key';

/** What a log already holds, as far as an import must know it. */
export interface KnownFacts {
  /** Those of the events' ids that are stored. */
  knownIds(events: readonly AnyEvent[]): Promise<ReadonlySet<string>>;
  /** Stored facts of the same types and tokens at exactly the same instants. */
  factsBeside(events: readonly AnyEvent[]): Promise<readonly AnyEvent[]>;
}

export interface SiftCounts {
  events: number;
  alreadyThere: number;
  conflictingEvents: number;
}

/**
 * Lets through what is new to a log. An event that is stored is passed over (rule 3: the same fact has the same id); so is
 * one that contradicts a stored fact, which is reported. What files say against each other is the reader's matter.
 */
export class Sift {
  readonly counts: SiftCounts = { events: 0, alreadyThere: 0, conflictingEvents: 0 };

  /** @param known null when the log was empty at the start */
  constructor(
    private readonly known: KnownFacts | null,
    private readonly onConflict: (text: string) => void,
  ) {}

  async newOf(batch: readonly AnyEvent[]): Promise<readonly AnyEvent[]> {
    this.counts.events += batch.length;
    if (!this.known) return batch;
    const stored = await this.known.knownIds(batch);
    const unknown = batch.filter(({ id }) => !stored.has(id));
    this.counts.alreadyThere += batch.length - unknown.length;
    const taken = await this.storedKeys(this.known, unknown);
    return unknown.filter((event) => !this.isConflict(event, taken));
  }

  private async storedKeys(known: KnownFacts, unknown: readonly AnyEvent[]): Promise<ReadonlySet<string | null>> {
    const single = unknown.filter((event) => conflictKey(event) !== null);
    if (single.length === 0) return new Set();
    return new Set((await known.factsBeside(single)).map(conflictKey));
  }

  private isConflict(event: AnyEvent, taken: ReadonlySet<string | null>): boolean {
    const key = conflictKey(event);
    if (key === null || !taken.has(key)) return false;
    this.counts.conflictingEvents += 1;
    this.onConflict(`${factName(event)} is stored with other values`);
    return true;
  }
}
