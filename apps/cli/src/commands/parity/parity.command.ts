import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { checkParity, checkVenue, type ParityReport, type VenueParity } from '@moon/backtesting';
import { addClusterOptions, isCluster, type ClusterOptions } from '../../cluster/settings';
import { EXIT, sentenceOf, UsageError } from '../../errors';
import type { Io } from '../../io';
import { count } from '../../output/text';
import { projectFolder } from '../../store/data-dir';
import { chooseRun, withRunLog } from '../../store/run-log';
import { withStore, type Store } from '../../store/store';
import { Progress } from '../import/progress';
import { compareCluster } from './cluster-parity';
import { loadAgents } from './load-agents';
import { renderParity, renderVenue } from './render';
import { readVenueJournal } from './venue-journal';

interface ParityCommandOptions extends ClusterOptions {
  agents?: string[];
  shard?: string[];
}

/** Nothing can be said about parity: exit code 2, so that a script never takes it for a divergence. */
class NothingToCompare extends UsageError {}

export function addParityCommand(program: Command, io: Io, exit: (code: number) => void): void {
  const parity = program
    .command('parity')
    .description(
      'replays what a run recorded, with the same handlers, and compares every event that it emitted; it reads only',
    )
    .option('--agents <files...>', 'modules of users’ agents that the run was started with')
    .option('--shard <names...>', 'with --cluster: only these shards, e.g. execution#0')
    .addHelpText('after', '\nExit codes: 0 equal, 1 not equal, 2 nothing can be compared.')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ParityCommandOptions>();
      try {
        exit((await compare(io, options)) ? EXIT.ok : EXIT.failed);
      } catch (error) {
        throw error instanceof UsageError ? error : new NothingToCompare(sentenceOf(error), { cause: error });
      }
    });
  addClusterOptions(parity);
}

/** @returns whether all that could be compared is equal */
async function compare(io: Io, options: ParityCommandOptions): Promise<boolean> {
  if (isCluster(options)) return compareCluster(io, options, codeVersion());
  const userAgents = loadAgents(options.agents ?? [], io.cwd);
  return withStore(io, { global: options, command: 'moon parity' }, async (store) => {
    const run = await chooseRun(store, options.run);
    return withRunLog(store, run, async ({ events }) => {
      const startedAt = performance.now();
      const report = await withProgress(io, await events.lastSeq(), (onProgress) =>
        checkParity({ store: events, userAgents, codeVersion: codeVersion(), signal: io.signal, onProgress }),
      );
      const seconds = (performance.now() - startedAt) / 1_000;
      // A venue at work writes its journal, and drops the oldest part of it.
      const journal = store.platformPid === null ? readVenueJournal(store.dataDir, run.runId) : null;
      const venue = journal && (await checkVenue(events, journal));
      const equal = report.equal && (venue?.equal ?? true);
      if (options.json) io.out(JSON.stringify({ run: run.runId, ...report, equal, venue }));
      else for (const line of [...renderParity(report), ...renderVenue(venue)]) io.out(line);
      for (const note of [...endOf(store, report), ...venueNote(store, venue), ...report.notes]) io.err(note);
      const rate = Math.round(report.events / seconds);
      io.err(`Run ${run.runId}: ${count(report.events)} events in ${seconds.toFixed(1)} s, ${count(rate)} a second.`);
      return equal;
    });
  });
}

async function withProgress<T>(
  io: Io,
  total: number,
  work: (onProgress: (seq: number) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(io.terminal, total);
  try {
    return await work((seq) => progress.at(seq));
  } finally {
    progress.stop();
  }
}

function venueNote({ platformPid }: Store, venue: VenueParity | null): string[] {
  if (venue) return [];
  return [
    platformPid === null
      ? 'The venue’s own journal is not in the data directory: its reports were taken as recorded.'
      : 'The venue is at work: its reports were taken as recorded.',
  ];
}

function endOf({ platformPid }: Store, { lastSeq, end }: ParityReport): string[] {
  if (platformPid !== null)
    return [
      `The run is going on (process ${platformPid}): compared up to position ${count(lastSeq)}, which was stored when this began.`,
    ];
  return end === 'open'
    ? ['The run did not end cleanly: what its last moments would have brought comes with its next start.']
    : [];
}

/** Version of the code, as `config.activated` records it. */
function codeVersion(): string {
  return (JSON.parse(readFileSync(join(projectFolder(), 'package.json'), 'utf8')) as { version: string }).version;
}
