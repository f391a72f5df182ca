import type { Command } from 'commander';
import type { Run } from '@moon/infra';
import type { GlobalOptions, Io } from '../../io';
import { table } from '../../output/table';
import { clock, count, plural } from '../../output/text';
import { withStore, type Store } from '../../store/store';

export function addRunsCommand(program: Command, io: Io): void {
  program
    .command('runs')
    .description('lists the runs of the data directory, the one that was opened last first')
    .action((_options, command: Command) => listRuns(io, command.optsWithGlobals()));
}

async function listRuns(io: Io, options: GlobalOptions): Promise<void> {
  await withStore(io, { global: options, command: 'moon runs' }, async (store) => {
    const runs = await store.registry.listRuns();
    const lengths: number[] = [];
    for (const run of runs) lengths.push(await eventsIn(store, run));
    if (options.json) {
      io.out(JSON.stringify(runs.map((run, index) => ({ ...run, events: lengths[index] }))));
      return;
    }
    const rows = runs.map((run, index) => [
      run.runId,
      run.mode,
      run.status,
      clock(run.openedAt).slice(0, 19),
      clock(run.usedAt).slice(0, 19),
      count(lengths[index] ?? 0),
      resultOf(run),
    ]);
    const columns = [
      ...['run', 'mode', 'status', 'opened', 'last opened'].map((title) => ({ title })),
      { title: 'events', right: true },
      { title: 'result' },
    ];
    for (const line of table(columns, rows)) io.out(line);
    io.err(
      `${plural(runs.length, 'run')} in ${store.dataDir}${store.platformPid === null ? '' : `; the platform is running (process ${store.platformPid})`}.`,
    );
  });
}

async function eventsIn({ registry }: Store, run: Run): Promise<number> {
  const store = registry.openStore(run, { connections: 1 });
  try {
    return await store.lastSeq();
  } finally {
    await store.close();
  }
}

function resultOf({ result }: Run): string {
  if (result === null) return '';
  const { fills, equity, stateHash } = result;
  const parts = [
    typeof fills === 'number' && plural(fills, 'fill'),
    typeof equity === 'number' && `equity ${equity.toFixed(2)}`,
    typeof stateHash === 'string' && `state ${stateHash.slice(0, 12)}`,
  ];
  return parts.filter((part) => part !== false).join(', ');
}
