import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { CommandFailed, EXIT } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { importFiles } from './import-files';
import { RefusalCount, renderReport, type ImportReport } from './import-report';
import { openFiles, type FileOptions } from './open-files';

interface Options extends GlobalOptions, FileOptions {
  dryRun?: boolean;
  errors?: string;
}

const HELP = `
Files are CSV, plain or gzipped, and told apart by their header: candles, trades, funding, liquidations, sentiment.
Several files are merged into one recorded order. Rows that cannot be used are refused, counted by reason and listed.
The log is called "imported" unless --run names it. A second import of the same facts adds nothing.

Exit code: 0 when the files were read, also when rows were refused; 1 when a file cannot be read at all (then nothing is
stored), or not one row of all files can be used; 2 when the command was called wrongly; 130 when it was interrupted.`;

export function addImportCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('import')
    .description('brings recorded market data from files into a log of the store')
    .argument('<files...>', 'each FILE, or FILE@VENUE')
    .option('--dry-run', 'reads and checks everything, stores nothing')
    .option('--venue <venue>', 'whose symbols the files use (default: told by the name of the file)')
    .addOption(new Option('--stamps <stamps>', 'what the stamps of candles are').choices(['open', 'close']))
    .option('--errors <file>', 'writes every refused row to this file')
    .addHelpText('after', HELP)
    .action(async (files: string[], _options, command: Command) =>
      exit(await runImportCommand(io, files, command.optsWithGlobals<Options>())),
    );
}

async function runImportCommand(io: Io, names: readonly string[], options: Options): Promise<number> {
  const startedAt = performance.now();
  const errors = options.errors === undefined ? null : openErrors(resolve(io.cwd, options.errors));
  try {
    const refusals = new RefusalCount((line) => errors?.write(line));
    const source = await openFiles(names, io.cwd, options, (bad) => refusals.note(bad));
    const dryRun = options.dryRun === true;
    const report = await importFiles(io, { global: options, source, refusals, dryRun, startedAt });
    if (options.json) io.out(JSON.stringify(report));
    else for (const line of renderReport(report)) io.out(line);
    return exitCode(report);
  } finally {
    errors?.close();
  }
}

function exitCode({ interrupted, used }: ImportReport): number {
  if (interrupted) return EXIT.interrupted;
  return used === 0 ? EXIT.failed : EXIT.ok;
}

function openErrors(path: string): { write(line: string): void; close(): void } {
  try {
    const file = openSync(path, 'w');
    return { write: (line) => void writeSync(file, `${line}\n`), close: () => closeSync(file) };
  } catch (error) {
    throw new CommandFailed(
      `--errors ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
