// `npm run stack -- COMMAND`: the native servers that the distributed platform runs on.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import api from './api.cjs';
import { install } from './install.mjs';
import { DEFAULT_BASE_PORT, KINDS, paths } from './layout.mjs';
import { removeAll, wasStackHere } from './leftovers.mjs';

const print = (text) => process.stdout.write(`${text}\n`);

function kinds(text) {
  const names = text.split(',');
  const unknown = names.filter((name) => !KINDS.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`${unknown.join(', ')}: expected some of ${KINDS.join(',')}.`);
  return KINDS.filter((name) => names.includes(name));
}

function port(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || (number !== 0 && (number < 1_024 || number > 64_000)))
    throw new InvalidArgumentError('expected 0 (any free block) or a port between 1024 and 64000.');
  return number;
}

function brokerCount(text) {
  if (!['1', '3'].includes(text)) throw new InvalidArgumentError('expected 1 or 3.');
  return Number(text);
}

const program = new Command('npm run stack --').description(
  'Kafka, PostgreSQL under Patroni, Redis with Sentinel and Toxiproxy as ordinary processes, without Docker.',
);

const withFolder = (command) => command.option('--dir <folder>', 'folder of the stack', api.DEFAULT_FOLDER);
const withKinds = (command) => command.option('--only <kinds>', `some of ${KINDS.join(',')}`, kinds, KINDS);

withKinds(withFolder(program.command('start').description('starts all of it and returns when it is ready')))
  .option(
    '--base-port <port>',
    `first port of the block it takes, 0 = any free block (default: that of the data in the folder, or ${DEFAULT_BASE_PORT})`,
    port,
  )
  .option('--brokers <count>', 'Kafka brokers, 1 or 3', brokerCount, 3)
  .option('--fast', 'a quicker JVM that never gets as fast: for functional tests', false)
  .option('--clean', 'throws the data of an earlier start away first', false)
  .option('--foreground', 'stays until interrupted, and stops the stack then', false)
  .action(async ({ foreground, ...options }) => {
    // Here rather than in the supervisor, so that what the package managers say is seen.
    await install(options.only);
    const basePort = options.basePort ?? api.basePortOf(options.dir) ?? DEFAULT_BASE_PORT;
    const stack = await api.start({ ...options, basePort, detached: !foreground, onEvent: print });
    const { times, supervisor, ...state } = stack;
    print(
      `Ready: ${Object.entries(times)
        .map(([kind, seconds]) => `${kind} ${seconds} s`)
        .join(', ')}`,
    );
    print(`Addresses: ${join(options.dir, 'stack.json')} (base port ${state.options.basePort})`);
    if (!foreground) process.exit(0);
    supervisor.ref();
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => supervisor.kill('SIGTERM'));
    supervisor.once('exit', (code) => process.exit(code ?? 1));
  });

withFolder(program.command('stop').description('stops all of it'))
  .option('--clean', 'throws its data away, too', false)
  .action(async ({ dir, clean }) => {
    if (clean && !wasStackHere(paths(dir)))
      return print(`No stack was ever started in ${dir}: nothing is stopped or thrown away.`);
    if (existsSync(paths(dir).state)) await api.stop(dir, { clean });
    else print(`No stack runs in ${dir}.`);
    if (clean) removeAll(paths(dir));
  });

withFolder(program.command('status').description('every node: state, process, role'))
  .option('--json', 'as JSON', false)
  .action(async ({ dir, json }) => {
    const { ready, nodes } = await api.status(dir);
    if (json) return print(JSON.stringify({ ready, nodes }));
    for (const [name, { state, pid, role, restarts }] of Object.entries(nodes))
      print(
        [
          name.padEnd(12),
          state.padEnd(8),
          String(pid ?? '-').padStart(8),
          role ?? '',
          restarts ? `restarted ${restarts}×` : '',
        ]
          .join('  ')
          .trimEnd(),
      );
    const away = Object.entries(nodes).filter(([, { state }]) => state !== 'running');
    if (!ready) return print('starting');
    return print(
      away.length === 0 ? 'ready' : `degraded: ${away.map(([name, { state }]) => `${name} ${state}`).join(', ')}`,
    );
  });

withFolder(program.command('logs <name>').description('what a node logged last'))
  .option('--follow', 'goes on printing', false)
  .action((name, { dir, follow }) => {
    // Patroni passes the log of its PostgreSQL on.
    const file = join(paths(dir).logs, `${name.replace(/^postgres-/, 'patroni-')}.log`);
    if (!existsSync(file)) throw new Error(`${name} has no log in ${paths(dir).logs}.`);
    spawnSync('tail', ['-n', '200', ...(follow ? ['-F'] : []), file], { stdio: 'inherit' });
  });

withFolder(program.command('kill <name>').description('SIGKILL; the node comes back at once'))
  .option('--keep-down', 'it stays down until `restart`', false)
  .action((name, { dir, keepDown }) => api.kill(name, { dir, keepDown }));

withFolder(program.command('pause <name>').description('freezes the server (SIGSTOP)')).action((name, { dir }) =>
  api.pause(name, { dir }),
);
withFolder(program.command('resume <name>').description('thaws it (SIGCONT)')).action((name, { dir }) =>
  api.resume(name, { dir }),
);
withFolder(program.command('restart <name>').description('SIGTERM and a new start')).action((name, { dir }) =>
  api.restart(name, { dir }),
);
withFolder(program.command('ready').description('waits until all of it is ready again, after a fault')).action(
  ({ dir }) => api.ready(dir),
);

withKinds(program.command('install').description('gets what the stack runs, where it is missing')).action(
  async ({ only }) => {
    await install(only);
    print(`Everything for ${only.join(', ')} is here.`);
  },
);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
