import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AgentsModule, FeedFactory } from '@moon/app-agents';
import { createLogger, ConfigError, DataDirInUse, DataDirUnusable, StartupFailure } from '@moon/infra';
import { readOptions } from './config/options';
import { Session } from './session';

/** A Ctrl-C may come twice, from the terminal and handed on by npm: within this time it is one. */
const SAME_CTRL_C_MS = 1_000;
/** As a shell tells a process that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

/** Calls back at the first SIGINT or SIGTERM; a second one, later, ends the process at once. */
function onStopSignal(stop: (signal: string) => void): void {
  let stoppedAt: number | null = null;
  const take = (signal: string): void => {
    if (stoppedAt === null) {
      stoppedAt = performance.now();
      stop(signal);
    } else if (performance.now() - stoppedAt > SAME_CTRL_C_MS) process.exit(EXIT_INTERRUPTED);
  };
  process.on('SIGINT', take);
  process.on('SIGTERM', take);
}

/** Starts the platform and ends the process: 0 after a clean stop, 1 when it could not start or broke, 2 on wrong settings. */
async function main(): Promise<number> {
  let options;
  try {
    options = readOptions(process.argv.slice(2), process.env);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const logger = createLogger({ level: options.config.logLevel });
  const agents = await NestFactory.createApplicationContext(AgentsModule, { logger: false, abortOnError: false });
  const session = new Session(options, logger, agents.get(FeedFactory));
  onStopSignal((signal) => {
    process.stderr.write(`${signal}: stopping, handling what is under way …\n`);
    session.stop();
  });
  try {
    await session.run();
    return 0;
  } catch (error) {
    const isPlain = [ConfigError, DataDirInUse, DataDirUnusable, StartupFailure].some((kind) => error instanceof kind);
    if (!isPlain) logger.error({ err: error }, 'the platform broke');
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

void main().then((code) => {
  process.exitCode = code;
  // Whatever still holds the event loop (a socket that will not close) may not keep a stopped platform alive.
  setTimeout(() => process.exit(code), 3_000).unref();
});
