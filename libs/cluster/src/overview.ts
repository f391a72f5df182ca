import { replicationOf, type ClusterCounts, type Replication, type ShardStatus } from '@moon/infra';
import { groupPlans } from '@moon/kernel';
import type { ClusterConfig } from './config';
import type { Connections } from './connections';

/** What a deployment looks like from its store. */
export interface ClusterOverview {
  shards: ShardStatus[];
  /** Shards that the settings want and nobody has ever claimed. */
  unclaimed: string[];
  archive: ClusterCounts & { countedAt: number };
  replication: Replication;
}

/** Counting goes over the whole log: it is done so often at most, wall ms. */
const COUNT_EVERY_MS = 15_000;

/** Names of all shards that the settings want. */
export function shardNames({ platform, shards }: Pick<ClusterConfig, 'platform' | 'shards'>): string[] {
  return groupPlans(platform).flatMap(({ name }) => Array.from({ length: shards }, (_, index) => `${name}#${index}`));
}

/** Looks at the whole deployment for whoever asks one of its processes. */
export class OverviewSource {
  private counts: Promise<ClusterOverview['archive']> | null = null;
  private countedAt = 0;

  constructor(private readonly connections: Pick<Connections, 'access' | 'config' | 'log'>) {}

  async read(): Promise<ClusterOverview> {
    const { access, config, log } = this.connections;
    const [shards, archive, replication] = await Promise.all([
      log.shards(),
      this.counted(),
      replicationOf(access.app, config.postgres.database),
    ]);
    const known = new Set(shards.map(({ shard }) => shard));
    return { shards, unclaimed: shardNames(config).filter((name) => !known.has(name)), archive, replication };
  }

  private counted(): Promise<ClusterOverview['archive']> {
    const now = Date.now();
    if (!this.counts || now - this.countedAt > COUNT_EVERY_MS) {
      this.countedAt = now;
      const counts = this.connections.log.counts().then((found) => ({ ...found, countedAt: now }));
      this.counts = counts;
      // What failed is not kept for the next who asks.
      counts.catch(() => {
        if (this.counts === counts) this.counts = null;
      });
    }
    return this.counts;
  }
}
