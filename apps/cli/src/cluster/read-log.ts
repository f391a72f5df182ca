import { openClusterReader, type ClusterConfig, type ClusterReader } from '@moon/cluster';
import type { Io } from '../io';
import { chooseRun, withRunLog, type ReadLog } from '../store/run-log';
import { withStore } from '../store/store';
import { clusterConfigOf, isCluster, type ClusterOptions } from './settings';

/** A deployment's log, open for one command. */
export interface ClusterView extends ReadLog {
  config: ClusterConfig;
  reader: ClusterReader;
}

/** Works on the log of a deployment of many processes. */
export async function withCluster<T>(
  io: Pick<Io, 'cwd' | 'env'>,
  options: ClusterOptions,
  work: (view: ClusterView) => Promise<T>,
): Promise<T> {
  const config = clusterConfigOf(io, options);
  const reader = await openClusterReader(config);
  try {
    const run = { runId: `cluster ${config.postgres.database}` };
    const { log: events, inspection } = reader;
    return await work({ config, reader, run, events, inspection, isPositional: false });
  } finally {
    await reader.close();
  }
}

/** Works on the log that the options mean: that of a deployment, or of a run in a data directory. */
export function withReadLog<T>(
  io: Io,
  { options, command }: { options: ClusterOptions; command: string },
  work: (log: ReadLog) => Promise<T>,
): Promise<T> {
  if (isCluster(options)) return withCluster(io, options, work);
  return withStore(io, { global: options, command }, async (store) =>
    withRunLog(store, await chooseRun(store, options.run), work),
  );
}
