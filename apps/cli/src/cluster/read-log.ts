import { openClusterReader, type ClusterConfig, type ClusterReader } from '@moon/cluster';
import { CommandFailed } from '../errors';
import type { Io } from '../io';
import { GLOBAL, globalHaltsOf, haltsInForce, type HaltInForce } from '../store/halts-in-force';
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
    const haltsOn = (portfolio: string): Promise<HaltInForce[]> => haltsIn(reader, portfolio);
    return await work({ config, reader, run, events, inspection, haltsOn, isPositional: false });
  } finally {
    await reader.close();
  }
}

/** The shard that opened the portfolio says in streams of its own what is halted; the log knows which one it was, whatever the settings say. */
async function haltsIn({ log }: ClusterReader, portfolio: string): Promise<HaltInForce[]> {
  const own = `portfolio-${portfolio}`;
  const halts = await haltsInForce(log, portfolio, own);
  for await (const { event } of log.readStream(own)) {
    const shard = (await log.producersOf([event.id])).get(event.id);
    if (shard === undefined)
      throw new CommandFailed(
        `The log does not say which shard opened ${portfolio}: whether all portfolios are halted is not known.`,
      );
    return [...(await haltsInForce(log, GLOBAL, globalHaltsOf(shard))), ...halts];
  }
  return halts;
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
