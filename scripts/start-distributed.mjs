// `npm run start:distributed`: every application as a process of its own on the servers of `npm run stack`, in the order
// of SYS-1, with health and status each. Ctrl-C drains them in the opposite order.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const USAGE = `npm run start:distributed -- [options]

  --stack FOLDER     folder of the running stack (.moon/stack)
  --data-dir FOLDER  folder of venue books, spools and what is remembered between starts (.moon/distributed)
  --pace N           synthetic feed: run time per wall time (60)
  --agents N         processes of the agents (1)
  --execution N      processes of execution (1)
  --recorder N       processes of the recorder (1)
  --base-port N      first port of health and status (4100)
  --config FILE      settings of all processes
  --set NAME=VALUE   any setting, repeatable
`;
const READY_WITHIN_MS = 180_000;

const { values } = parsed({
  options: {
    help: { type: 'boolean', default: false },
    stack: { type: 'string', default: '.moon/stack' },
    'data-dir': { type: 'string', default: '.moon/distributed' },
    pace: { type: 'string', default: '60' },
    agents: { type: 'string', default: '1' },
    execution: { type: 'string', default: '1' },
    recorder: { type: 'string', default: '1' },
    'base-port': { type: 'string', default: '4100' },
    config: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

/** @throws never: what is misspelt is named, with the options that there are */
function parsed(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    const [sentence] = error.message.split('. ');
    process.stderr.write(`start:distributed: ${sentence}.\n\n${USAGE}`);
    return process.exit(2);
  }
}

const say = (name, line) => process.stdout.write(`${name.padEnd(12)} ${line}\n`);

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** A number among the options. @throws never: what is no such number is named */
function number(name, { whole = true } = {}) {
  const value = Number(values[name]);
  if (value > 0 && (!whole || Number.isInteger(value))) return value;
  return fail(
    `start:distributed: --${name} is ${values[name]}: expected a ${whole ? 'whole number from 1 on' : 'number above 0'}.`,
  );
}

/** Runs a program to its end. @throws Error when it does not end well */
async function finish(name, args, env) {
  const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => say(name, line));
  const code = await new Promise((done, reject) => child.once('error', reject).once('close', done));
  if (code !== 0) throw new Error(`${name} ended with ${code}.`);
}

/** What is remembered between starts: from when run time runs faster than wall time. */
function originOf(folder, pace) {
  const file = join(folder, 'clock.json');
  if (existsSync(file)) {
    const known = JSON.parse(readFileSync(file, 'utf8'));
    if (known.pace !== pace)
      fail(
        `${file}: this deployment runs at pace ${known.pace}; give --pace ${known.pace}. ` +
          'One at another pace needs servers (--stack) and a --data-dir of its own.',
      );
    return known.origin;
  }
  const origin = Date.now();
  writeFileSync(file, JSON.stringify({ pace, origin }));
  return origin;
}

const RESTART_AFTER_MS = 1_000;
const children = [];
let isStopping = false;

/** Starts one process and resolves when it says what `until` waits for. One that dies later is started again. */
function start(name, args, env, until) {
  // The kernel itself asks it to stop when this process dies; setpriv becomes the program, so the pid is the program's.
  const command = ['--pdeathsig', 'TERM', '--', process.execPath, '--enable-source-maps', ...args];
  const child = spawn('setpriv', command, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C of a terminal reaches the whole group: the order of the stop is ours.
    detached: true,
  });
  const known = children.find((one) => one.name === name);
  const one = known ?? { name, wasReady: false };
  one.child = child;
  if (!known) children.push(one);
  return new Promise((done, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s.`)),
      READY_WITHIN_MS,
    );
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        say(name, line);
        if (!until.test(line)) return;
        clearTimeout(timer);
        one.wasReady = true;
        done(line);
      });
    }
    child.once('error', reject);
    child.on('exit', (code, signal) => {
      say(name, `ended: ${signal ?? code}`);
      clearTimeout(timer);
      reject(new Error(`${name} ended before it was ready.`));
      // One that comes up again while a server is away ends, and tries again.
      if (!one.wasReady || isStopping) return;
      say(name, 'is started again');
      setTimeout(() => {
        if (!isStopping) start(name, args, env, until).catch((error) => say(name, error.message));
      }, RESTART_AFTER_MS);
    });
  });
}

async function stopAll(code) {
  if (isStopping) return;
  isStopping = true;
  for (const { name, child } of [...children].reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    say(name, 'is asked to stop');
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await Promise.race([ended, new Promise((done) => setTimeout(done, 25_000))]);
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
  process.exit(code);
}
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => void stopAll(0));
// Once nobody reads what is said, stopping in good order goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const pace = number('pace', { whole: false });
const base = number('base-port');
/** In the order in which they start. */
const counts = { recorder: number('recorder'), execution: number('execution'), agents: number('agents'), api: 1 };
const stackFile = join(resolve(values.stack), 'stack.json');
if (!existsSync(stackFile)) fail(`${stackFile} is not there: start the servers first with npm run stack -- start.`);
const stack = JSON.parse(readFileSync(stackFile, 'utf8'));
const dataDir = resolve(values['data-dir']);
mkdirSync(dataDir, { recursive: true });
const origin = originOf(dataDir, pace);

await build();
const dist = (path) => join(root, 'dist', path);
const env = {
  MOON_KAFKA__BROKERS: JSON.stringify(stack.kafka.brokers),
  MOON_KAFKA__REPLICATION_FACTOR: String(Math.min(3, stack.kafka.brokers.length)),
  MOON_KAFKA__MIN_IN_SYNC_REPLICAS: String(Math.min(2, stack.kafka.brokers.length)),
  MOON_POSTGRES__HOSTS: JSON.stringify(stack.postgres.hosts.map(({ host, port }) => `${host}:${port}`)),
  MOON_POSTGRES__PATRONI: JSON.stringify(stack.postgres.patroni),
  ...(stack.redis
    ? {
        MOON_REDIS__MODE: 'sentinel',
        MOON_REDIS__NODES: JSON.stringify(stack.redis.sentinels.map(({ host, port }) => `${host}:${port}`)),
        MOON_REDIS__PRIMARY_NAME: stack.redis.name,
      }
    : { MOON_CACHE: 'none' }),
  MOON_CLOCK__PACE: String(pace),
  MOON_CLOCK__ORIGIN: String(origin),
  MOON_FEED__KIND: 'synthetic',
  MOON_DATA_DIR: dataDir,
};
/** Only who prepares the store logs in as the superuser; the processes get the password of the application's role. */
const superuserEnv = {
  MOON_POSTGRES__SUPERUSER: stack.postgres.superuser,
  MOON_POSTGRES__PASSWORD: stack.postgres.password,
};
const common = [...(values.config ? ['--config', values.config] : []), ...values.set.flatMap((one) => ['--set', one])];
const several = (app) =>
  counts[app] === 1 ? [app] : Array.from({ length: counts[app] }, (_, index) => `${app}-${index + 1}`);

try {
  const { appPasswordOf, readClusterOptions } = createRequire(import.meta.url)(dist('libs/cluster/src/index.js'));
  const prepareArgs = [dist('apps/cli/src/main.js'), 'store', 'prepare', ...common];
  await finish('store', prepareArgs, { ...env, ...superuserEnv });
  const prepared = readClusterOptions('store', common, { ...process.env, ...env, ...superuserEnv });
  env.MOON_POSTGRES__APP_PASSWORD = appPasswordOf(prepared);
  // What this machine's environment has of the others' passwords is not handed on.
  env.MOON_POSTGRES__PASSWORD = env.MOON_POSTGRES__OWNER_PASSWORD = undefined;
  // It prices and charges as the settings of the processes say.
  const venueArgs = ['--cluster', '--data-dir', join(dataDir, 'venue'), '--port', String(base + 90), ...common];
  const venueMain = dist('apps/execution/src/venues/paper/main.js');
  const line = await start('venue', [venueMain, ...venueArgs], env, /"listening":\d+/);
  env.MOON_VENUE__ADDRESS = `127.0.0.1:${/"listening":(\d+)/.exec(line)[1]}`;
  let port = base;
  const app = (name, kind) =>
    start(
      name,
      [dist(`apps/${kind}/src/main.js`), '--port', String(port++), '--instance', name, ...common],
      env,
      /^READY in/,
    );
  for (const kind of Object.keys(counts)) {
    for (const name of several(kind)) await app(name, kind);
  }
  say('all', `READY · health and status on ports ${base} to ${port - 1} · Ctrl-C drains and stops`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  await stopAll(1);
}
