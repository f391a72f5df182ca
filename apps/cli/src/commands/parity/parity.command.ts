import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { checkParity, type ParityReport } from '@moon/backtesting';
import { EXIT, sentenceOf, UsageError } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { count } from '../../output/text';
import { projectFolder } from '../../store/data-dir';
import { chooseRun, withRunLog } from '../../store/run-log';
import { withStore, type Store } from '../../store/store';
import { Progress } from '../import/progress';
import { loadAgents } from './load-agents';
import { renderParity } from './render';

interface ParityCommandOptions extends GlobalOptions {
  agents?: string[];
}

/** Nothing can be said about parity: exit code 2, so that a script never takes it for a divergence. */
class NothingToCompare extends UsageError {}

export function addParityCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('parity')
    .description(
      'replays what a run recorded, with the same handlers, and compares every event that it emitted; it reads only',
    )
    .option('--agents <files...>', 'modules of users’ agents that the run was started with')
    .addHelpText('after', '\nExit codes: 0 equal, 1 not equal, 2 nothing can be compared.')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ParityCommandOptions>();
      try {
        const { equal } = await compare(io, options);
        exit(equal ? EXIT.ok : EXIT.failed);
      } catch (error) {
        throw error instanceof UsageError ? error : new NothingToCompare(sentenceOf(error), { cause: error });
      }
    });
}

async function compare(io: Io, options: ParityCommandOptions): Promise<ParityReport> {
  const userAgents = loadAgents(options.agents ?? [], io.cwd);
  return withStore(io, { global: options, command: 'moon parity' }, async (store) => {
    const run = await chooseRun(store, options.run);
    return withRunLog(store, run, async ({ events }) => {
      const progress = new Progress(io.terminal, await events.lastSeq());
      const startedAt = performance.now();
      let report: ParityReport;
      try {
        report = await checkParity({
          ...{ store: events, userAgents, codeVersion: codeVersion(), signal: io.signal },
          onProgress: (seq) => progress.at(seq),
        });
      } finally {
        progress.stop();
      }
      const seconds = (performance.now() - startedAt) / 1_000;
      if (options.json) io.out(JSON.stringify({ run: run.runId, ...report }));
      else for (const line of renderParity(report)) io.out(line);
      for (const note of [...endOf(store, report), ...report.notes]) io.err(note);
      const rate = Math.round(report.events / seconds);
      io.err(`Run ${run.runId}: ${count(report.events)} events in ${seconds.toFixed(1)} s, ${count(rate)} a second.`);
      return report;
    });
  });
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
