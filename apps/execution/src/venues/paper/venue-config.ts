import { readFileSync } from 'node:fs';
import type { PartialVenueConfig } from '@moon/backtesting';

/** What the venue's process was started with, as far as its configuration goes. */
export interface VenueSource {
  /** The venue's own configuration as JSON; with `cluster` the settings of the deployment's processes. */
  config?: string;
  /** It is the venue of a deployment: what its processes' settings say of it counts. */
  cluster: boolean;
  /** Settings of the processes as NAME=VALUE; they win over environment and file. */
  set: readonly string[];
}

/**
 * Fees, latency, slippage, and what prices each instrument. A deployment's venue reads the settings that its processes read, so
 * that what they trade is priced there as well.
 *
 * @throws ConfigError the settings of the processes cannot be used
 * @throws Error `set` without `cluster`, or a file that cannot be read
 */
export async function venueConfigOf(
  { config, cluster, set }: VenueSource,
  env: NodeJS.ProcessEnv,
): Promise<PartialVenueConfig> {
  if (cluster) {
    const { paperVenueConfig, readClusterOptions } = await import('@moon/cluster');
    const file = config === undefined ? [] : ['--config', config];
    const settings = readClusterOptions('venue', [...file, ...set.flatMap((one) => ['--set', one])], env);
    return paperVenueConfig({ config: settings });
  }
  if (set.length > 0) throw new Error('--set names settings of a deployment: give --cluster, too.');
  return config === undefined ? {} : (JSON.parse(readFileSync(config, 'utf8')) as PartialVenueConfig);
}
