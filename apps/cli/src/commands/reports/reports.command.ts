import { resolve } from 'node:path';
import { equityCsv, fillsCsv, sha256, tradesCsv, type BacktestReport, type BacktestSummary } from '@moon/backtesting';
import { ReportStore, type StoredReport } from '@moon/infra';
import type { Command } from 'commander';
import { CommandFailed, UsageError } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { table } from '../../output/table';
import { clock, count, plural } from '../../output/text';
import { withStore } from '../../store/store';
import { renderSummary } from '../backtest/render';
import { writeFiles } from '../backtest/write-files';

interface ExportOptions extends GlobalOptions {
  out?: string;
}

export function addReportsCommand(program: Command, io: Io): void {
  const reports = program.command('reports').description('reports of backtests in the event store');
  reports
    .command('list')
    .description('lists them, the newest first')
    .action((_options, command: Command) => list(io, command.optsWithGlobals()));
  reports
    .command('show')
    .description('shows the figures of one; with --json the whole report')
    .argument('<id>', 'its id, or the beginning of it')
    .action((id: string, _options, command: Command) => show(io, id, command.optsWithGlobals()));
  reports
    .command('export')
    .description('writes the files of one, as they were saved')
    .argument('<id>', 'its id, or the beginning of it')
    .option('--out <folder>', 'where to (default: a folder of its id, here)')
    .action((id: string, _options, command: Command) => exportFiles(io, id, command.optsWithGlobals()));
}

async function withReports<T>(io: Io, global: GlobalOptions, work: (reports: ReportStore) => Promise<T>): Promise<T> {
  return withStore(io, { global, command: 'moon reports' }, async (store) => {
    const reports = new ReportStore(store.access.app);
    try {
      return await work(reports);
    } finally {
      await reports.close();
    }
  });
}

async function list(io: Io, options: GlobalOptions): Promise<void> {
  const found = await withReports(io, options, (reports) => reports.list());
  if (options.json) {
    io.out(JSON.stringify(found));
    return;
  }
  const columns = [
    ...['report', 'saved', 'status'].map((title) => ({ title })),
    ...['fills', 'final equity'].map((title) => ({ title, right: true })),
    ...['events', 'code'].map((title) => ({ title })),
  ];
  const rows = found.map(({ reportId, createdAt, status, summary, eventHash, codeVersion }) => {
    const { fills, finalEquity, settlementAsset } = summary as unknown as BacktestSummary;
    const equity = `${finalEquity} ${settlementAsset}`;
    const when = clock(createdAt).slice(0, 19);
    return [reportId, when, status, count(fills), equity, eventHash?.slice(0, 12) ?? '', codeVersion];
  });
  for (const line of table(columns, rows)) io.out(line);
  io.err(`${plural(found.length, 'report')}.`);
}

async function show(io: Io, id: string, options: GlobalOptions): Promise<void> {
  await withReports(io, options, async (reports) => {
    const report = await one(reports, id);
    if (options.json) {
      io.out((await filesOf(reports, report)).reportJson.trimEnd());
      return;
    }
    for (const line of renderSummary(report.summary as unknown as BacktestSummary)) io.out(line);
    io.out(`  saved        ${clock(report.createdAt).slice(0, 19)} by version ${report.codeVersion}`);
    io.out(`  files        moon reports export ${report.reportId}`);
    if (report.archivedRun !== null) io.out(`  events       moon events --run ${report.archivedRun}`);
  });
}

async function exportFiles(io: Io, id: string, options: ExportOptions): Promise<void> {
  await withReports(io, options, async (reports) => {
    const report = await one(reports, id);
    const { reportJson, reportHtml } = await filesOf(reports, report);
    const folder = resolve(io.cwd, options.out ?? report.reportId);
    const parsed = JSON.parse(reportJson) as BacktestReport;
    const tables = { tradesCsv: tradesCsv(parsed), fillsCsv: fillsCsv(parsed), equityCsv: equityCsv(parsed) };
    const files = { reportJson, reportHtml, ...tables };
    const paths = Object.values(writeFiles(folder, files));
    if (options.json) io.out(JSON.stringify({ reportId: report.reportId, out: folder, files: paths }));
    else for (const path of paths) io.out(path);
  });
}

async function one(reports: ReportStore, id: string): Promise<StoredReport> {
  const found = await reports.find(id);
  const [first] = found;
  if (found.length === 1 && first) return first;
  const ids = (found.length === 0 ? await reports.list() : found).map(({ reportId }) => reportId).slice(0, 10);
  if (found.length === 0)
    throw new UsageError(
      `There is no report "${id}". ${ids.length === 0 ? 'None is saved yet.' : `Reports: ${ids.join(', ')}.`}`,
    );
  throw new UsageError(`"${id}" fits ${found.length} reports: ${ids.join(', ')}. Name one of them.`);
}

/** The files as they were saved, held against the hashes that were taken then. */
async function filesOf(
  reports: ReportStore,
  report: StoredReport,
): Promise<{ reportJson: string; reportHtml: string }> {
  const files = await reports.files(report.reportId);
  if (!files) throw new CommandFailed(`The files of report ${report.reportId} are not there.`);
  const isWhole =
    sha256(files.reportJson) === report.reportJsonSha256 && sha256(files.reportHtml) === report.reportHtmlSha256;
  if (!isWhole)
    throw new CommandFailed(
      `The files of report ${report.reportId} are not those that were saved: their SHA-256 differs.`,
    );
  return files;
}
