import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  BacktestRefused,
  BacktestService,
  type BacktestConfig,
  type BacktestFiles,
  type BacktestResult,
} from '@moon/backtesting';
import { Option, type Command } from 'commander';
import { CommandFailed, EXIT, sentenceOf, UsageError } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { dataDirOf, projectFolder } from '../../store/data-dir';
import { withStore } from '../../store/store';
import { chooseRun } from '../../store/run-log';
import { codeFacts } from './code';
import { loadBacktest, type BacktestFlags, type LoadedBacktest } from './load';
import type { InputResources } from './open-inputs';
import { renderSummary } from './render';
import { RunProgress } from './run-progress';
import { saveReport, type SavedReport } from '../../../../api/src/backtest-jobs.module';
import { assertWritable, removeEmpty, writeFiles } from './write-files';

interface Options extends GlobalOptions, BacktestFlags {
  run?: string;
  out?: string;
  /** False with --no-save. */
  save: boolean;
  archive: 'none' | 'emitted' | 'all';
}

const COMMAND = 'moon backtest';
const HELP = `
Runs agents and strategies over recorded markets, as they would run live: the same handlers, limits, venue and ledger, in
virtual time, in a thread of its own. Data come from files (--from, or "data" in the configuration) or from a run of the
store (--run). Settings: file, MOON_BACKTEST__… variables, flags.

The report goes to --out (default: reports/ID in the data directory) as report.json, report.html, trades.csv, fills.csv and
equity.csv, and with the events that the run emitted into the event store, where "moon reports", "moon events" and "moon
trace" find them. --no-save uses no store; files are then written only with --out. Ctrl-C ends the run and saves what there is, marked
as partial.

Exit code: 0 when the run came to its end and everything was saved; 1 when it broke, a strategy failed, or something could
not be saved; 2 when it cannot be run as it was asked for; 130 when it was interrupted.`;

export function addBacktestCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('backtest')
    .description('runs a backtest and saves its report')
    .option('--config <file>', 'what to run, as JSON or YAML')
    .option('--from <files...>', 'recorded files, each FILE or FILE@VENUE, in place of the configuration’s data')
    .option('--start <instant>', 'first instant, ISO 8601 or epoch ms')
    .option('--end <instant>', 'end (exclusive)')
    .option('--set <setting...>', 'any setting, e.g. --set venue.fees.takerBps=5')
    .option('--out <folder>', 'where the report’s files go')
    .option('--no-save', 'saves nothing in the event store')
    .addOption(
      new Option(
        '--archive <what>',
        'events that are kept in the store: none, emitted (with the inputs that caused them) or all',
      )
        .choices(['none', 'emitted', 'all'])
        .default('emitted'),
    )
    .addHelpText('after', HELP)
    .action(async (_options, command: Command) => exit(await backtest(io, command.optsWithGlobals<Options>())));
}

async function backtest(io: Io, options: Options): Promise<number> {
  const loaded = loadBacktest(io, options);
  const { run } = loaded.config.data;
  const code = codeFacts();
  const id = idOf(loaded.config.name);
  const session = new BacktestCommand(io, options, loaded, { id, ...code });
  if (run === undefined) return session.run({ store: null });
  return withStore(io, { global: options, command: COMMAND }, async (store) => {
    const { runId } = await chooseRun(store, run);
    return session.run({ store: { access: store.access, runId } }, (result, files) => saveReport(store, result, files));
  });
}

type Save = (result: BacktestResult, files: BacktestFiles) => Promise<SavedReport>;

/** What became of a run's results. */
interface Saved {
  out: string | null;
  paths: Record<string, string> | null;
  stored: SavedReport | null;
  problems: string[];
}

class BacktestCommand {
  private readonly out: string | null;
  private readonly spoolPath: string | null;
  private readonly dataDir: string;

  constructor(
    private readonly io: Io,
    private readonly options: Options,
    private readonly loaded: LoadedBacktest,
    private readonly facts: { id: string; codeVersion: string; commit: string | null },
  ) {
    this.dataDir = dataDirOf(io, options.dataDir);
    const reports = join(this.dataDir, 'reports');
    const byDefault = options.save ? join(reports, facts.id) : null;
    this.out = options.out === undefined ? byDefault : resolve(io.cwd, options.out);
    const isArchived = options.save && options.archive !== 'none';
    this.spoolPath = isArchived ? join(reports, `.${facts.id}.events.draft`) : null;
  }

  /** @param save when the store is open already */
  async run(
    resources: InputResources,
    save: Save = (result, files) => this.saveInStore(result, files),
  ): Promise<number> {
    const isOutMade = this.out !== null && assertWritable(this.out);
    if (this.spoolPath !== null) assertWritable(join(this.dataDir, 'reports'));
    try {
      const result = await this.replay(resources);
      const saved = await this.save(result, save);
      this.tell(result, saved);
      return this.exitCode(result, saved);
    } finally {
      if (this.spoolPath !== null) rmSync(this.spoolPath, { force: true });
      if (this.out !== null && isOutMade) removeEmpty(this.out);
    }
  }

  private async replay(resources: InputResources): Promise<BacktestResult> {
    const { io, options, loaded, facts } = this;
    const service = new BacktestService({ worker: WORKER, atOnce: 1 });
    const progress = new RunProgress(io);
    try {
      return await service.run(
        { ...loaded, ...facts },
        {
          onProgress: (running) => progress.show(running),
          onNotice: (message) => io.err(message),
          signal: io.signal,
          withFiles: this.out !== null || options.save,
          resources,
          ...(this.spoolPath !== null &&
            options.archive !== 'none' && { spool: { path: this.spoolPath, what: options.archive } }),
        },
      );
    } catch (error) {
      if (error instanceof BacktestRefused) throw new UsageError(error.message);
      if ((error as Error).name === 'AbortError') throw new CommandFailed('Interrupted before the run began.');
      throw error;
    } finally {
      progress.stop();
    }
  }

  private async save(result: BacktestResult, save: Save): Promise<Saved> {
    const { files } = result;
    const saved: Saved = { out: this.out, paths: null, stored: null, problems: doubtsOf(result) };
    if (files === null) return saved;
    if (this.out !== null) {
      const { out } = this;
      await attempt(saved, () => {
        saved.paths = writeFiles(out, files);
      });
    }
    if (result.spool !== null && result.spool.failure !== null)
      saved.problems.push(`The events of the run could not be kept: ${result.spool.failure}.`);
    if (this.options.save)
      await attempt(saved, async () => {
        saved.stored = await save(result, files);
      });
    return saved;
  }

  private saveInStore(result: BacktestResult, files: BacktestFiles): Promise<SavedReport> {
    // Ctrl-C ended the run; what there is of it is to be saved all the same.
    const io = { ...this.io, signal: new AbortController().signal };
    return withStore(io, { global: this.options, command: COMMAND, create: true }, (store) =>
      saveReport(store, result, files),
    );
  }

  private tell({ summary, strategyFailures }: BacktestResult, { out, paths, stored, problems }: Saved): void {
    const { io, options } = this;
    for (const { strategy, count, first } of strategyFailures)
      io.err(
        `Strategy ${strategy} failed at ${count} events, first at ${new Date(first.at).toISOString()}: ${first.message}`,
      );
    for (const problem of problems) io.err(problem);
    const reportId = stored?.reportId ?? null;
    if (options.json) {
      const where = { out: paths === null ? null : out, reportId, archivedRun: stored?.archivedRun ?? null };
      io.out(JSON.stringify({ ...summary, ...where, problems }));
      return;
    }
    for (const line of renderSummary(summary)) io.out(line);
    if (paths !== null) io.out(`  report       ${paths['report.html'] ?? ''}`);
    if (stored !== null) {
      const events = stored.archivedRun === null ? '' : `; events: moon events --run ${stored.archivedRun}`;
      io.out(`  saved        moon reports show ${stored.reportId}${events}`);
    } else io.out('  saved        nothing in the event store');
  }

  private exitCode({ summary }: BacktestResult, { problems }: Saved): number {
    if (this.io.signal.aborted && summary.status === 'partial') return EXIT.interrupted;
    return summary.status === 'partial' || problems.length > 0 ? EXIT.failed : EXIT.ok;
  }
}

/** The compiled thread; a test that runs from the sources uses the build, too. */
const WORKER = join(projectFolder(), 'dist', 'apps', 'cli', 'src', 'commands', 'backtest', 'backtest.worker.js');

/** Why figures of a run that came to its end are not to be relied on; empty for a sound one. */
export function doubtsOf({
  summary,
  strategyFailures,
}: Pick<BacktestResult, 'strategyFailures'> & {
  summary: Pick<BacktestResult['summary'], 'balanced' | 'venueDifferences' | 'failures'>;
}): string[] {
  const strategies = new Set(strategyFailures.map(({ handler }) => handler));
  const failed = Object.entries(summary.failures).filter(([handler]) => !strategies.has(handler));
  return [
    ...(summary.balanced
      ? []
      : ['The books do not balance: start, trades, fees and funding do not add up to the final equity.']),
    ...summary.venueDifferences.map((difference) => `The venue's own books differ. ${difference}`),
    ...failed.map(
      ([handler, count]) => `${handler} failed at ${count} of its events; what would have followed is missing.`,
    ),
  ];
}

async function attempt(saved: Saved, work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    saved.problems.push(sentenceOf(error));
  }
}

const RANDOM_BYTES = 3;

/** `sma-2022-20261127t020000-3f9a1c`: name, when it was started (UTC), and digits that tell two of one second apart. */
function idOf(name: BacktestConfig['name']): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  const when = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase();
  return [slug === '' ? 'backtest' : slug, when, randomBytes(RANDOM_BYTES).toString('hex')].join('-');
}
