import type { Command } from 'commander';
import { UsageError } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { eventJson, eventLine } from '../../output/event-line';
import { plural } from '../../output/text';
import { chooseRun, withRunLog } from '../../store/run-log';
import { withStore } from '../../store/store';
import { parseCount } from '../parse';
import { eventFilter, type EventOptions } from './event-filter';
import { followEvents } from './follow-events';
import { listEvents } from './list-events';

interface Options extends EventOptions, GlobalOptions {
  limit?: string;
  after?: string;
  tail?: boolean;
}

const MOST = 1_000_000;
const DEFAULT_LIMIT = 50;
const DEFAULT_TAIL = 10;

export function addEventsCommand(program: Command, io: Io): void {
  program
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
    .action((_options, command: Command) => showEvents(io, command.optsWithGlobals<Options>()));
}

async function showEvents(io: Io, options: Options): Promise<void> {
  const filter = eventFilter(options);
  const limit = options.limit === undefined ? undefined : parseCount(options.limit, '--limit', MOST);
  const format = options.json ? eventJson : eventLine;
  if (options.tail) {
    if (options.after !== undefined || options.to !== undefined)
      throw new UsageError('--tail goes on for ever: it cannot be used with --after or --to.');
    await followEvents(io, {
      global: options,
      filter,
      limit: limit ?? DEFAULT_TAIL,
      show: (row) => io.out(format(row)),
    });
    return;
  }
  const end = options.from === undefined && options.after === undefined ? 'newest' : 'oldest';
  await withStore(io, { global: options, command: 'moon events' }, async (store) => {
    const run = await chooseRun(store, options.run);
    await withRunLog(store, run, async ({ events }) => {
      const { rows, cursor } = await listEvents(events, {
        filter,
        limit: limit ?? DEFAULT_LIMIT,
        end,
        after: options.after,
      });
      for (const row of rows) io.out(format(row));
      io.err(`Run ${run.runId}: ${plural(rows.length, 'event')}.${furtherOn(cursor, end)}`);
    });
  });
}

function furtherOn(cursor: string | null, end: 'oldest' | 'newest'): string {
  if (cursor === null) return '';
  if (end === 'oldest') return ` Next page: --after ${cursor}`;
  return ' There are older ones: --limit shows more, --from starts at an instant.';
}
