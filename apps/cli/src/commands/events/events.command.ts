import type { Command } from 'commander';
import type { LogRow } from '@moon/kernel';
import { UsageError } from '../../errors';
import { withCluster, withReadLog } from '../../cluster/read-log';
import { addClusterOptions, isCluster, type ClusterOptions } from '../../cluster/settings';
import type { Io } from '../../io';
import { eventJson, eventLine } from '../../output/event-line';
import { plural } from '../../output/text';
import { parseCount } from '../parse';
import { eventFilter, type EventOptions } from './event-filter';
import { nameOf } from '../../store/run-log';
import { followCluster } from './follow-cluster';
import { followEvents } from './follow-events';
import { listEvents } from './list-events';

interface Options extends EventOptions, ClusterOptions {
  limit?: string;
  after?: string;
  tail?: boolean;
}

const MOST = 1_000_000;
const DEFAULT_LIMIT = 50;
const DEFAULT_TAIL = 10;

export function addEventsCommand(program: Command, io: Io): void {
  const command = program
    .command('events')
    .description('shows events of a run: the newest ones, or from an instant on, or as they come')
    .option('--type <types...>', 'only events of these types')
    .option('--token <token>', 'only events of this token')
    .option('--portfolio <name>', 'only events that are keyed by this portfolio')
    .option('--from <instant>', 'from this instant on, oldest first (ISO 8601 UTC, or ms)')
    .option('--to <instant>', 'up to this instant, exclusive')
    .option('--correlation <id>', 'only what this root event caused')
    .option('--limit <count>', `at most so many (default: ${DEFAULT_LIMIT}; with --tail ${DEFAULT_TAIL})`)
    .option('--after <cursor>', 'the next page: the cursor that the page before ended with')
    .option('--tail', 'then follow new events, until Ctrl-C')
    .action((_options, self: Command) => showEvents(io, self.optsWithGlobals<Options>()));
  addClusterOptions(command);
}

async function showEvents(io: Io, options: Options): Promise<void> {
  const filter = eventFilter(options);
  const limit = options.limit === undefined ? undefined : parseCount(options.limit, '--limit', MOST);
  const format = options.json ? eventJson : eventLine;
  if (options.tail) {
    if (options.after !== undefined || options.to !== undefined)
      throw new UsageError('--tail goes on for ever: it cannot be used with --after or --to.');
    const wanted = { filter, limit: limit ?? DEFAULT_TAIL, show: (row: LogRow): void => io.out(format(row)) };
    if (isCluster(options)) await withCluster(io, options, (log) => followCluster(io, log, wanted));
    else await followEvents(io, { ...wanted, global: options });
    return;
  }
  const end = options.from === undefined && options.after === undefined ? 'newest' : 'oldest';
  await withReadLog(io, { options, command: 'moon events' }, async (log) => {
    const wanted = { filter, limit: limit ?? DEFAULT_LIMIT, end, after: options.after } as const;
    const { rows, cursor } = await listEvents(log.events, wanted);
    for (const row of rows) io.out(format(row));
    io.err(`${nameOf(log)}: ${plural(rows.length, 'event')}.${furtherOn(cursor, end)}`);
  });
}

function furtherOn(cursor: string | null, end: 'oldest' | 'newest'): string {
  if (cursor === null) return '';
  if (end === 'oldest') return ` Next page: --after ${cursor}`;
  return ' There are older ones: --limit shows more, --from starts at an instant.';
}
