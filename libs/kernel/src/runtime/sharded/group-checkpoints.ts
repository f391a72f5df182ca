import type { BusPosition } from '../../ports/bus';
import type { Shard } from './shard';

export interface GroupCheckpointsOptions {
  /** The shards that are held at this moment. */
  shards: () => readonly Shard[];
  /** Tells the broker below which of these offsets no message is needed any more. */
  commit: (positions: readonly BusPosition[]) => Promise<void>;
  onProblem: (message: string, context: { error: string }) => void;
}

/** So long a checkpoint keeps those of the group's other shards waiting, wall ms. */
const NEXT_AFTER_MS = 1_000;

/** Stores where the shards of one group stand. */
export class GroupCheckpoints {
  /** Shards whose checkpoint is under way. */
  private readonly saving = new Set<Shard>();
  /** Offsets below which everything is in a checkpoint, and which the broker has not been told. */
  private readonly uncommitted: BusPosition[] = [];

  constructor(private readonly options: GroupCheckpointsOptions) {}

  /**
   * A checkpoint of every shard, and of all of them the offsets to the broker. A shard whose last one still waits, for the
   * store or the brokers, takes no other meanwhile, and holds up nobody's.
   */
  async take(): Promise<void> {
    const saves: Promise<void>[] = [];
    for (const shard of this.options.shards()) {
      if (this.saving.has(shard)) continue;
      const save = this.save(shard);
      saves.push(save);
      // One after the other while they are stored soon: states are written down in one turn, and journals need the store, too.
      await within(NEXT_AFTER_MS, save);
    }
    await this.commit(this.uncommitted.splice(0));
    await Promise.all(saves);
  }

  /** A checkpoint that could not be stored is made up for by the next: the journal has everything. */
  async saved(save: () => Promise<BusPosition[] | null>): Promise<BusPosition[]> {
    try {
      return (await save()) ?? [];
    } catch (thrown) {
      this.options.onProblem('a checkpoint was not stored', { error: String(thrown) });
      return [];
    }
  }

  /** All shards in one request: each is a replicated write of the broker's. */
  async commit(positions: readonly BusPosition[]): Promise<void> {
    const { commit, onProblem } = this.options;
    await commit(positions).catch((thrown: unknown) =>
      onProblem('offsets were not committed', { error: String(thrown) }),
    );
  }

  /** The offsets of one that is stored late are told with the next round's. */
  private async save(shard: Shard): Promise<void> {
    this.saving.add(shard);
    this.uncommitted.push(...(await this.saved(() => shard.checkpoint())));
    this.saving.delete(shard);
  }
}

/** Waits for something, but no longer than so many ms of wall time. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([done, patience]).finally(() => clearTimeout(timer));
}
