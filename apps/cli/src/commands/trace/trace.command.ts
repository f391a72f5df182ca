import type { Command } from 'commander';
import { withReadLog } from '../../cluster/read-log';
import { addClusterOptions, type ClusterOptions } from '../../cluster/settings';
import type { Io } from '../../io';
import { plural } from '../../output/text';
import { nameOf } from '../../store/run-log';
import { parseCount } from '../parse';
import { traceOf } from './cause-tree';
import { findEvent } from './find-event';
import { renderTrace, traceJson } from './render';

const DEFAULT_LIMIT = 2_000;
const MOST = 100_000;

export function addTraceCommand(program: Command, io: Io): void {
  const command = program
    .command('trace')
    .description(
      'shows the chain that an event or order belongs to, from its first cause to everything that came of it',
    )
    .argument('<id>', 'id of an event, an order or a correlation, or its first digits')
    .option('--limit <count>', 'at most so many events', String(DEFAULT_LIMIT))
    .action((id: string, _options, self: Command) => trace(io, id, self.optsWithGlobals()));
  addClusterOptions(command);
}

async function trace(io: Io, id: string, options: ClusterOptions & { limit: string }): Promise<void> {
  const limit = parseCount(options.limit, '--limit', MOST);
  await withReadLog(io, { options, command: 'moon trace' }, async (log) => {
    const found = await traceOf(log, await findEvent(log, id), limit);
    if (options.json) io.out(traceJson(found, log.run.runId));
    else for (const line of renderTrace(found)) io.out(line);
    const rest = found.isComplete ? '' : ` These are the first ones; --limit shows more.`;
    io.err(`${nameOf(log)}: ${plural(found.events, 'event')} of one root.${rest}`);
  });
}
