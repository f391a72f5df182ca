import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import { CommandFailed } from '../../errors';

const APPS = ['agents', 'execution', 'recorder', 'api'] as const;

/** @param rest what the command line holds behind the application's name: handed on as it is */
export function addStartCommand(program: Command, rest: readonly string[]): void {
  program
    .command('start')
    .usage('<application> [options]')
    .description('runs one application of the distributed platform in this process, until Ctrl-C')
    .addArgument(new Argument('<application>', 'which one').choices(APPS))
    .addHelpText(
      'after',
      '\nOptions behind the application are its own, e.g. --only agent.chart,agent.trading; "moon start agents --help" lists them.',
    )
    .action((application: (typeof APPS)[number]) => start(application, rest));
}

/** The application's main file does the rest, as under `node FILE`: it ends this process and gives it its exit code. */
function start(application: (typeof APPS)[number], options: readonly string[]): Promise<never> {
  const file = join(__dirname, '..', '..', '..', '..', application, 'src', 'main.js');
  if (!existsSync(file)) throw new CommandFailed(`${file} is not there: build first ("npm run build").`);
  process.argv = [process.argv[0] ?? 'node', file, ...options];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an application is never linked into another one
  require(file);
  return new Promise<never>(() => undefined);
}
