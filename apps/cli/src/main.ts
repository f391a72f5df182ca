import { EXIT } from './errors';
import { run } from './program';
import type { Io } from './io';

/** A Ctrl-C may come twice, from the terminal and handed on by what started the program: within this time it is one. */
const SAME_CTRL_C_MS = 1_000;
/** A client of a server that is frozen may take minutes to let go of it; nobody waits for that once the command is done. */
const LEAVE_WITHIN_MS = 2_000;

/** The command line of this process. Ctrl-C asks the command to end; a second one ends it at once. */
async function main(): Promise<void> {
  const interrupt = new AbortController();
  let interruptedAt = Number.POSITIVE_INFINITY;
  process.on('SIGINT', () => {
    if (performance.now() - interruptedAt > SAME_CTRL_C_MS) process.exit(EXIT.interrupted);
    interruptedAt = Math.min(interruptedAt, performance.now());
    interrupt.abort();
  });
  process.on('SIGTERM', () => interrupt.abort());
  // `moon events | head`: whoever reads has enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interrupt.abort();
  });
  const io: Io = {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    terminal: process.stderr.isTTY ? process.stderr : null,
    cwd: process.cwd(),
    env: process.env,
    signal: interrupt.signal,
  };
  process.exitCode = await run(process.argv.slice(2), io);
  setTimeout(() => process.exit(), LEAVE_WITHIN_MS).unref();
}

void main();
