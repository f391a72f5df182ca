import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { stackSettings } from '../../cluster/settings';
import { CommandFailed, UsageError } from '../../errors';

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
      '\n--stack FOLDER behind the application: on the servers of "npm run stack" in this folder.' +
        '\nThe other options behind it are its own, e.g. --only agent.chart,agent.trading; "moon start agents --help" lists them.',
    )
    .action((application: (typeof APPS)[number]) => start(application, rest));
}

/** Takes `--stack FOLDER` (or `--stack=FOLDER`) out of what the command line holds. @throws UsageError without a folder */
export function withoutStack(options: readonly string[]): { folder?: string; own: string[] } {
  const at = options.findIndex((option) => option === '--stack' || option.startsWith('--stack='));
  if (at < 0) return { own: [...options] };
  const isJoined = options[at] !== '--stack';
  const folder = isJoined ? options[at]!.slice('--stack='.length) : options[at + 1];
  if (!folder || folder.startsWith('--'))
    throw new UsageError('--stack: expected the folder of a stack, e.g. .moon/stack.');
  return { folder, own: options.toSpliced(at, isJoined ? 1 : 2) };
}

/** The application's main file does the rest, as under `node FILE`: it ends this process and gives it its exit code. */
function start(application: (typeof APPS)[number], options: readonly string[]): Promise<never> {
  const file = join(__dirname, '..', '..', '..', '..', application, 'src', 'main.js');
  if (!existsSync(file)) throw new CommandFailed(`${file} is not there: build first ("npm run build").`);
  const { folder, own } = withoutStack(options);
  if (folder !== undefined) Object.assign(process.env, stackSettings(resolve(folder)));
  process.argv = [process.argv[0] ?? 'node', file, ...own];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an application is never linked into another one
  require(file);
  return new Promise<never>(() => undefined);
}
