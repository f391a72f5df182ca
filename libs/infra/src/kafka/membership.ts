import type { ShardClaim } from './shard-assigner';

export interface MembershipHooks {
  /** These shards are this member's: told until it resolves. */
  assign: (shards: readonly number[]) => Promise<void>;
  /** Finish with these: waited for. */
  revoke: (shards: readonly number[]) => Promise<void>;
  /** The group is to divide the shards again. */
  rejoin: () => void;
  onError: (error: unknown, what: string) => void;
}

const RETRY_MS = 500;

/**
 * Brings what the owner of a consumer works on into line with what the group gave it: one call at a time, letting go before
 * taking on. What it has not let go of it keeps claiming, so that the group gives it to nobody else.
 */
export class Membership {
  private memberId: string | null = null;
  /** Counts the ids that this member had: what it held under another one was somebody else's meanwhile. */
  private term = 0;
  private desired = new Map<number, number>();
  private readonly actual = new Map<number, number>();
  private claimed: readonly number[] = [];
  private owesRejoin = false;
  private running: Promise<void> | null = null;
  private isStopped = false;

  constructor(private readonly hooks: MembershipHooks) {}

  /** What is claimed in the join that is about to be made. */
  claim(): ShardClaim {
    this.claimed = [...new Set([...this.actual.keys(), ...this.desired.keys()])].sort((a, b) => a - b);
    return { memberId: this.memberId, shards: this.claimed };
  }

  /** Whether the owner was told of the shard and not told to let go of it. */
  holds(shard: number): boolean {
    return this.actual.has(shard) && this.actual.get(shard) === this.desired.get(shard);
  }

  /** The group has divided the shards. */
  joined(memberId: string, shards: readonly number[]): void {
    if (this.isStopped) return;
    if (memberId !== this.memberId) {
      this.memberId = memberId;
      this.term += 1;
    } else if (this.claimed.some((shard) => !shards.includes(shard))) this.owesRejoin = true;
    this.desired = new Map(shards.map((shard) => [shard, this.term]));
    this.reconcile();
  }

  /** Lets go of everything. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.desired = new Map();
    this.reconcile();
    await this.running;
  }

  private reconcile(): void {
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
  }

  private async run(): Promise<void> {
    // What the group's answer sets in motion does not run inside its handling.
    await Promise.resolve();
    for (;;) {
      const lost = [...this.actual].filter(([shard, term]) => this.desired.get(shard) !== term).map(([shard]) => shard);
      const gained = [...this.desired.keys()].filter((shard) => !this.actual.has(shard));
      if (lost.length > 0) {
        await this.hooks.revoke(lost).catch((error: unknown) => this.hooks.onError(error, 'letting go of shards'));
        for (const shard of lost) this.actual.delete(shard);
      } else if (gained.length > 0) await this.take(gained);
      else break;
    }
    if (this.owesRejoin && !this.isStopped) {
      this.owesRejoin = false;
      this.hooks.rejoin();
    }
  }

  private async take(gained: readonly number[]): Promise<void> {
    for (const shard of gained) this.actual.set(shard, this.desired.get(shard)!);
    try {
      await this.hooks.assign(gained);
    } catch (error) {
      this.hooks.onError(error, 'taking on shards');
      for (const shard of gained) this.actual.delete(shard);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
