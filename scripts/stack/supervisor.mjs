// The process behind one stack. Its arguments are one JSON text: { dir, only, basePort, brokers, fast, tied }.
// It writes JSON lines to standard output until ready; it ends when told to, when signalled, or, while tied, when its
// standard input closes: then whoever started it is gone.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { freeBasePort, takenPorts } from './free-ports.mjs';
import { install } from './install.mjs';
import { addresses, paths as pathsOf } from './layout.mjs';
import { Servers } from './servers.mjs';
import { forget, removeData } from './leftovers.mjs';
import { serversIn, sweep } from './sweep.mjs';
import { controlSocket } from './api.cjs';

const options = JSON.parse(process.argv[2]);
const paths = pathsOf(options.dir);
const folders = [paths.nodes, paths.postgres];
let servers;
let warden;
let stopping;
let ready = false;

/** To whoever waits for the start; once he has gone there is nobody to tell, and the log has it anyway. */
process.stdout.on('error', () => undefined);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const say = (name, text) => {
  const line = `${new Date().toISOString()} ${name}: ${text}\n`;
  writeFileSync(paths.supervisorLog, line, { flag: 'a' });
  if (!ready) tell({ event: `${name}: ${text}` });
};

/** The warden holds the folder's lock and ends the servers if this process dies without doing so. */
async function startWarden() {
  const child = spawn(
    'flock',
    ['--no-fork', '--wait', '30', '--conflict-exit-code', '99', paths.lock, process.execPath].concat(
      new URL('warden.mjs', import.meta.url).pathname,
      paths.root,
    ),
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  );
  child.stdin.on('error', () => undefined);
  await new Promise((done, fail) => {
    child.once('error', fail);
    child.stdout.once('data', done);
    child.once('exit', (code) =>
      fail(new Error(code === 99 ? `A stack already runs in ${paths.root}.` : `The warden ended with code ${code}.`)),
    );
  });
  return child;
}

/** Ports and nodes of the data in the folder: they remember them. */
const madeWith = () => (existsSync(paths.layout) ? JSON.parse(readFileSync(paths.layout, 'utf8')) : undefined);

function checkLayout() {
  const { basePort, brokers } = options;
  const made = madeWith();
  if (made === undefined) {
    writeFileSync(paths.layout, JSON.stringify({ basePort, brokers }));
    return;
  }
  if (made.basePort !== basePort || (made.brokers !== brokers && options.only.includes('kafka')))
    throw new Error(
      `The data in ${paths.root} were made with --base-port ${made.basePort} --brokers ${made.brokers}; ` +
        'start it with those, or with --clean to begin anew.',
    );
}

function writeState(extra) {
  const state = {
    ...addresses(options),
    options,
    supervisor: process.pid,
    processes: servers.pids(),
    ...extra,
  };
  const text = JSON.stringify(state, null, 2);
  writeFileSync(`${paths.state}.new`, text, { mode: 0o600 });
  renameSync(`${paths.state}.new`, paths.state);
}

const commands = {
  status: async () => ({ ready, nodes: await servers.status() }),
  ready: async () => {
    await servers.ready();
    writeState({ ready: true });
  },
  kill: async ({ name, keepDown }) => servers.kill(name, { keepDown }),
  pause: ({ name }) => servers.pause(name),
  resume: ({ name }) => servers.resume(name),
  restart: ({ name }) => servers.restart(name),
  stop: ({ clean }) => stop(clean),
};

/** Commands arrive over a socket that only this user can open: POST /COMMAND with a JSON body. */
function listen() {
  const path = controlSocket(paths.root);
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    const answer = (status, body) => response.writeHead(status, { connection: 'close' }).end(JSON.stringify(body));
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', async () => {
      const command = request.url.slice(1);
      try {
        if (!Object.hasOwn(commands, command)) throw new Error(`Unknown command "${command}".`);
        const result = await commands[command](JSON.parse(text || '{}'));
        if (command !== 'stop' && !stopping) writeState({ ready });
        answer(200, result ?? {});
        if (command === 'stop') end(0);
      } catch (error) {
        answer(409, { error: error.message });
      }
    });
  });
  const mask = process.umask(0o077);
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(path, done);
  }).finally(() => process.umask(mask));
}

/** The warden gives the lock back, after a look of its own for what is left. */
async function dismissWarden() {
  if (warden.exitCode !== null) return;
  const ended = new Promise((done) => warden.once('exit', done));
  warden.stdin.end();
  await ended;
}

function stop(clean = false) {
  stopping ??= (async () => {
    say('supervisor', 'stopping');
    await servers?.stop();
    // Without the folder's lock, what runs and lies there is another stack's.
    if (warden !== undefined) {
      // Nothing should be left; a server that Patroni could not stop is.
      const left = await sweep(folders, 0);
      if (left > 0) say('supervisor', `killed ${left} processes that had not ended`);
      forget(paths);
      if (clean) removeData(paths);
      await dismissWarden();
    }
    say('supervisor', 'stopped');
  })();
  return stopping;
}

const end = (code) => {
  setTimeout(() => process.exit(code), 50);
};

async function stopAndEnd(code) {
  try {
    await stop();
  } catch (error) {
    say('supervisor', error.message);
    code = 1;
  }
  end(code);
}

async function main() {
  mkdirSync(paths.logs, { recursive: true });
  const tools = await install(options.only, (text) => tell({ event: `installing ${text}` }));
  warden = await startWarden();
  warden.on('exit', () => {
    if (stopping) return;
    say('supervisor', 'the warden ended; without it a crash would leave servers behind, so the stack stops');
    void stopAndEnd(1);
  });
  const leftovers = serversIn(folders);
  if (leftovers.length > 0) {
    say('supervisor', `ending ${leftovers.length} servers of an earlier run`);
    await sweep(folders);
  }
  if (options.clean) removeData(paths);
  options.basePort ||= madeWith()?.basePort ?? (await freeBasePort(options));
  const taken = await takenPorts(options);
  if (taken.length > 0) {
    const list = taken.map(({ name, port }) => `${port} (${name})`).join(', ');
    throw new Error(`These ports of 127.0.0.1 are taken: ${list}. Choose others with --base-port.`);
  }
  checkLayout();
  servers = new Servers({ tools, options, paths, say });
  servers.prepareFolders();
  await listen();
  writeState({ ready: false });
  const times = await servers.start();
  if (stopping) return;
  ready = true;
  writeState({ ready, times });
  tell({ ready: true, times });
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => void stopAndEnd(0));
process.stdin.on('error', () => undefined);
process.stdin.on('close', () => {
  if (options.tied || !ready) void stopAndEnd(options.tied ? 0 : 1);
});
process.stdin.resume();

main().catch(async (error) => {
  tell({ error: error.message });
  say('supervisor', `failed: ${error.message}`);
  await stopAndEnd(1);
});
