import type { TextPool } from '../pool';
import { isTransientStoreError } from '../transient';

/** One shard's batch as append_journals takes it; `entries` and `rows` are JSON texts. */
export interface ShardBatch {
  shard: string;
  epoch: number;
  after: number;
  to: number;
  published: number;
  entries: string;
  rows: string | null;
  streams: readonly string[];
  expected: readonly number[];
  versions: readonly number[];
}

interface Waiting {
  text: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

const APPEND = 'SELECT * FROM append_journals($1::json)';

/** Text of one transaction, at most (one batch may be more). */
const MOST_CHARACTERS = 4_000_000;

const NO_ANSWER = 'no answer';

/** Refused by the store: the code is one of append_journal's. */
class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly detail: string | null,
  ) {
    super(`The store refused a batch (${code}).`);
  }
}

/**
 * Stores the batches of all shards of a process: what comes while a transaction is under way goes together into the next
 * one. A commit costs the same for one batch and for twenty, most of all where it waits for a standby.
 */
export class GroupAppends {
  private waiting: Waiting[] = [];
  private isBusy = false;

  constructor(private readonly pool: TextPool) {}

  /** Rejects with the store's own code and detail when this batch is refused, with what is wrong when the store is away. */
  add(batch: ShardBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ text: textOf(batch), resolve, reject });
      if (this.isBusy) return;
      this.isBusy = true;
      // What other shards have ready in the same turn goes along.
      setImmediate(() => void this.run());
    });
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) await this.appendSome();
    this.isBusy = false;
  }

  private async appendSome(): Promise<void> {
    let characters = 0;
    let count = 0;
    for (const { text } of this.waiting) {
      if (count > 0 && characters + text.length > MOST_CHARACTERS) break;
      characters += text.length;
      count += 1;
    }
    await this.append(this.waiting.splice(0, count));
  }

  private async append(together: readonly Waiting[]): Promise<void> {
    try {
      const texts = `[${together.map(({ text }) => text).join(',')}]`;
      const refusals = await this.pool.rows('append_journals', APPEND, [texts]);
      together.forEach(({ resolve, reject }, index) => {
        const [code, detail] = refusals[index] ?? [NO_ANSWER];
        if (code == null) resolve();
        else reject(new Refusal(code, detail ?? null));
      });
    } catch (error) {
      if (together.length === 1 || isTransientStoreError(error)) for (const { reject } of together) reject(error);
      // One of them is what the store cannot take: it must not take the others back with it.
      else for (const one of together) await this.append([one]);
    }
  }
}

/** Entries and rows keep their own text: what is stored twice is compared letter for letter. */
function textOf({ entries, rows, ...rest }: ShardBatch): string {
  return `${JSON.stringify(rest).slice(0, -1)},"entries":${entries},"rows":${rows ?? 'null'}}`;
}
