import type { Command } from 'commander';
import { rebuildClusterProjections, RebuildInterrupted, type ClusterRebuildResult } from '@moon/cluster';
import { withCluster } from '../../cluster/read-log';
import { addClusterOptions, isCluster, type ClusterOptions } from '../../cluster/settings';
import { EXIT, UsageError } from '../../errors';
import type { Io } from '../../io';
import { count, plural } from '../../output/text';
import { RebuildProgressView } from './rebuild-progress';

type Options = ClusterOptions & { force?: boolean };

export function addProjectionsCommand(program: Command, io: Io, exit: (code: number) => void): void {
  const command = program
    .command('projections')
    .description('what readers of a deployment find in its cache: builds it anew from the log');
  const rebuilding = command
    .command('rebuild')
    .description('builds all projections anew beside the running processes, and then lets readers see those')
    .option('--force', 'also when readers see more than the log has: those values are lost to them then')
    .addHelpText(
      'after',
      '\nUntil it is done readers see what they saw before; Ctrl-C gives it up. Exit codes: 0 done, 1 not done, 130 interrupted.',
    )
    .action(async (_options, self: Command) => exit(await rebuild(io, self.optsWithGlobals<Options>())));
  addClusterOptions(rebuilding);
}

async function rebuild(io: Io, options: Options): Promise<number> {
  if (!isCluster(options))
    throw new UsageError('A run of one process has no cache to rebuild: name a deployment with --cluster or --stack.');
  return withCluster(io, options, async ({ reader, config, run }) => {
    const startedAt = performance.now();
    const view = new RebuildProgressView(io);
    try {
      const result = await rebuildClusterProjections({
        ...{ reader, config, signal: io.signal, isForced: options.force === true },
        onProgress: (progress) => view.show(progress),
      });
      view.stop();
      const seconds = (performance.now() - startedAt) / 1_000;
      if (options.json) io.out(JSON.stringify({ run: run.runId, ...result, seconds: Number(seconds.toFixed(3)) }));
      else say(io, result, seconds);
      return EXIT.ok;
    } catch (error) {
      view.stop();
      if (!(error instanceof RebuildInterrupted)) throw error;
      io.err(error.message);
      return EXIT.interrupted;
    }
  });
}

function say(io: Io, result: ClusterRebuildResult, seconds: number): void {
  const { generation, before, dropped, events, keys, parked, aheadOfLog, leftOver } = result;
  const rate = count(Math.round(events / seconds));
  io.out(
    `Rebuilt: ${plural(keys, 'key')} from ${plural(events, 'event')} in ${seconds.toFixed(1)} s (${rate} events/s). ` +
      `Readers see generation ${generation}; ${plural(dropped, 'key')} of generation ${before} were deleted.`,
  );
  if (leftOver !== null) io.err(`Generation ${leftOver}, which an earlier rebuild had left unfinished, was deleted.`);
  if (aheadOfLog.length > 0) io.err(`Lost, since the log does not have them: ${aheadOfLog.join(', ')}.`);
  for (const { streamId, version, error } of parked)
    io.err(`Stale: ${streamId} could not be folded on at version ${version} (${error}).`);
}
