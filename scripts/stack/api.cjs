// The stack for programs: start, stop and break it. CommonJS, so that tests can require it as they are.
const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const { closeSync, existsSync, mkdirSync, openSync, readFileSync } = require('node:fs');
const http = require('node:http');
const { tmpdir } = require('node:os');
const { join, resolve } = require('node:path');

const KINDS = ['kafka', 'postgres', 'redis', 'toxiproxy'];
const DEFAULT_FOLDER = join('.moon', 'stack');
const DEFAULT_BASE_PORT = 19_000;

/** Path of the supervisor's socket: short, whatever the folder's length. */
const controlSocket = (dir) =>
  join(tmpdir(), `moon-stack-${createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 16)}.sock`);

/** One command to the supervisor. @throws when no stack runs in the folder, or the command fails */
function command(dir, name, body = {}) {
  const folder = resolve(dir);
  return new Promise((done, fail) => {
    const request = http.request(
      { socketPath: controlSocket(folder), path: `/${name}`, method: 'POST', agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('error', fail);
        response.on('end', () => {
          const answer = JSON.parse(text);
          if (response.statusCode === 200) done(answer);
          else fail(new Error(answer.error));
        });
      },
    );
    request.on('error', (error) =>
      fail(
        ['ENOENT', 'ECONNREFUSED'].includes(error.code)
          ? new Error(`No stack runs in ${folder}. Start one: npm run stack -- start --dir ${dir}`)
          : error,
      ),
    );
    request.end(JSON.stringify(body));
  });
}

/** What stack.json says: addresses, process ids, options. @throws when no stack runs in the folder */
function addresses(dir = DEFAULT_FOLDER) {
  const file = join(resolve(dir), 'stack.json');
  if (!existsSync(file)) throw new Error(`No stack runs in ${resolve(dir)}: there is no ${file}.`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** First port of the block that the data in a folder were made with; undefined when there are none. */
function basePortOf(dir = DEFAULT_FOLDER) {
  const file = join(resolve(dir), 'layout.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).basePort : undefined;
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** The supervisor that stack.json names lives: another process may have got its number since. */
function hasSupervisor(dir) {
  const { supervisor } = addresses(dir);
  try {
    return readFileSync(`/proc/${supervisor}/cmdline`, 'utf8').includes('supervisor.mjs') && isAlive(supervisor);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return false;
  }
}

function refuseSecond(dir) {
  if (!existsSync(join(resolve(dir), 'stack.json')) || !hasSupervisor(dir)) return;
  throw new Error(
    `A stack already runs in ${resolve(dir)} (supervisor ${addresses(dir).supervisor}). Stop it first: npm run stack -- stop --dir ${dir}`,
  );
}

/**
 * Starts a stack and resolves with its addresses when all of it is ready. Unless `detached`, it ends with this process,
 * however that ends; its handle's `stop` ends it earlier. `basePort` 0 takes any free block.
 */
async function start({ dir = DEFAULT_FOLDER, only = KINDS, basePort = DEFAULT_BASE_PORT, brokers = 3, ...rest } = {}) {
  const { fast = false, clean = false, detached = false, onEvent = () => undefined } = rest;
  refuseSecond(dir);
  const folder = resolve(dir);
  const options = { dir: folder, only, brokers, basePort, fast, clean, tied: !detached };
  mkdirSync(join(folder, 'logs'), { recursive: true });
  // Not this process's own: a detached stack would hold on to the pipe that reads it.
  const log = openSync(join(folder, 'logs', 'supervisor.log'), 'a');
  const child = spawn(process.execPath, [join(__dirname, 'supervisor.mjs'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', log],
    detached: true,
  });
  closeSync(log);
  child.stdin.on('error', () => undefined);
  const result = await new Promise((done, fail) => {
    let text = '';
    let problem;
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(problem ?? `The supervisor ended with code ${code}.`)));
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop();
      for (const line of lines.map((entry) => JSON.parse(entry))) {
        if (line.ready) done(line);
        else if (line.error) problem = line.error;
        else onEvent(line.event);
      }
    });
  });
  // Neither the pipes nor the child keep this process alive. A detached stack lives on when they close.
  for (const handle of [child, child.stdin, child.stdout]) handle.unref();
  return { times: result.times, supervisor: child, ...addresses(dir) };
}

/** Stops the stack and resolves when none of its processes is left; with `clean` its data are gone, too. */
async function stop(dir = DEFAULT_FOLDER, { clean = false } = {}) {
  const { supervisor } = addresses(dir);
  if (!hasSupervisor(dir)) return endOrphans(dir, clean);
  try {
    await command(dir, 'stop', { clean });
  } catch (error) {
    // It was killed just now.
    if (hasSupervisor(dir)) throw error;
    return endOrphans(dir, clean);
  }
  while (isAlive(supervisor)) await new Promise((done) => setTimeout(done, 20));
}

/** A supervisor that was killed: its warden ends the servers, unless that was killed, too. A program of its own: it is no CommonJS. */
async function endOrphans(dir, clean) {
  const args = [join(__dirname, 'end-orphans.mjs'), resolve(dir), ...(clean ? ['--clean'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((done, fail) => child.once('error', fail).once('exit', done));
  if (code !== 0) throw new Error(`The servers that are left in ${resolve(dir)} could not be ended (code ${code}).`);
}

module.exports = {
  KINDS,
  DEFAULT_FOLDER,
  DEFAULT_BASE_PORT,
  controlSocket,
  start,
  stop,
  addresses,
  basePortOf,
  /** State, process id and role of every node. */
  status: (dir = DEFAULT_FOLDER) => command(dir, 'status'),
  /** Waits until all kinds are ready again. */
  ready: (dir = DEFAULT_FOLDER) => command(dir, 'ready'),
  /** SIGKILL; it comes back at once unless `keepDown`. */
  kill: (name, { dir = DEFAULT_FOLDER, keepDown = false } = {}) => command(dir, 'kill', { name, keepDown }),
  /** SIGSTOP of the server itself. */
  pause: (name, { dir = DEFAULT_FOLDER } = {}) => command(dir, 'pause', { name }),
  resume: (name, { dir = DEFAULT_FOLDER } = {}) => command(dir, 'resume', { name }),
  /** SIGTERM and a new start; brings back one that was kept down. */
  restart: (name, { dir = DEFAULT_FOLDER } = {}) => command(dir, 'restart', { name }),
};
