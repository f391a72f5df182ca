import { Command, CommanderError } from 'commander';
import { addBacktestCommand } from './commands/backtest/backtest.command';
import { addDeadLettersCommand } from './commands/dead-letters/dead-letters.command';
import { addDoctorCommand } from './commands/doctor/doctor.command';
import { addEventsCommand } from './commands/events/events.command';
import { addHaltCommands } from './commands/halt/halt.command';
import { addImportCommand } from './commands/import/import.command';
import { addParityCommand } from './commands/parity/parity.command';
import { addLookaheadCheckCommand } from './commands/lookahead-check/lookahead-check.command';
import { addPortfolioCommand } from './commands/portfolio/portfolio.command';
import { addProjectionsCommand } from './commands/projections/projections.command';
import { addReportsCommand } from './commands/reports/reports.command';
import { addRunsCommand } from './commands/runs/runs.command';
import { addStartCommand } from './commands/start/start.command';
import { addStoreCommand } from './commands/store/store.command';
import { addTraceCommand } from './commands/trace/trace.command';
import { EXIT, sentenceOf, UsageError } from './errors';
import type { Io } from './io';
import { printable } from './output/text';

/**
 * Runs one command line, without the program's name in front.
 * @returns the exit code: 0 done, 1 failed, 2 called wrongly; a command may have its own, which its help tells
 */
export async function run(argv: readonly string[], terminal: Io): Promise<number> {
  const io: Io = {
    ...terminal,
    out: (line) => terminal.out(printable(line)),
    err: (line) => terminal.err(printable(line)),
  };
  let code: number = EXIT.ok;
  // What stands behind "moon start APPLICATION" is the application's.
  const isStart = argv[0] === 'start';
  const program = createProgram(io, (given) => (code = given));
  addStartCommand(program, isStart ? argv.slice(2) : []);
  try {
    await program.parseAsync(isStart ? argv.slice(0, 2) : argv, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has told the user already what is wrong, or has shown its help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    io.err(
      program.opts<{ debug?: boolean }>().debug && error instanceof Error
        ? (error.stack ?? error.message)
        : `moon: ${sentenceOf(error)}`,
    );
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

function createProgram(io: Io, exit: (code: number) => void): Command {
  const program = new Command('moon')
    .description('Looks into what the platform records, and speaks to it.')
    .option('--data-dir <folder>', 'the data directory (default: MOON_DATA_DIR, else the nearest .moon)')
    .option('--run <name>', 'the run, or the beginning of its name (default: the one that was opened last)')
    .option('--json', 'JSON instead of text')
    .option('--debug', 'shows where an error comes from')
    .showHelpAfterError('"moon help" lists the commands, "moon help COMMAND" its options.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'moon: ')),
    });
  addImportCommand(program, io, exit);
  addBacktestCommand(program, io, exit);
  addEventsCommand(program, io);
  addTraceCommand(program, io);
  addPortfolioCommand(program, io);
  addParityCommand(program, io, exit);
  addDeadLettersCommand(program, io);
  addHaltCommands(program, io);
  addProjectionsCommand(program, io, exit);
  addStoreCommand(program, io);
  addReportsCommand(program, io);
  addRunsCommand(program, io);
  addLookaheadCheckCommand(program, io, exit);
  addDoctorCommand(program, io, exit);
  return program;
}
