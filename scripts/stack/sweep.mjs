// Finds and ends the servers of one stack by what the kernel says of them, not by remembered process ids: those go stale.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, sep } from 'node:path';

const SERVERS =
  /^(java|redis-server|redis-check-(rdb|aof)|redis-sentinel|etcd|postgres|pg_\w+|initdb|toxiproxy-server|python3[\d.]*)$/;

/** What /proc says, or undefined when the process is gone or somebody else's. */
const read = (action) => {
  try {
    return action();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) return undefined;
    throw error;
  }
};

/** Command line of a process with spaces between its arguments; undefined when there is no such process. */
export const commandLine = (pid) =>
  read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim());

/** `{ parent, state }` of a process, state as in ps (T = stopped, Z = zombie). */
export function processStatus(pid) {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === undefined) return undefined;
  const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state, parent: Number(parent) };
}

const allProcesses = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

export const isAlive = (pid) => ![undefined, 'Z', 'X'].includes(processStatus(pid)?.state);

/** Live server processes whose working directory lies in one of the folders. Every server of a stack has its own folder there. */
export function serversIn(folders) {
  return allProcesses().filter((pid) => {
    const cwd = read(() => readlinkSync(`/proc/${pid}/cwd`));
    if (cwd === undefined || !folders.some((folder) => cwd.startsWith(folder + sep))) return false;
    const program = read(() => basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '')));
    return program !== undefined && SERVERS.test(program) && isAlive(pid);
  });
}

/** A process and its descendants, parents first. */
export function familyOf(pid) {
  const children = new Map();
  for (const child of allProcesses()) {
    const parent = processStatus(child)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const family = [pid];
  for (let index = 0; index < family.length; index += 1) family.push(...(children.get(family[index]) ?? []));
  return family;
}

/** Sends a signal; a process that is gone already is no error. */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    throw error;
  }
}

export const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `condition` is true; false when it was not within `ms`. */
export async function until(condition, ms, everyMs = 100) {
  const deadline = Date.now() + ms;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= deadline) return false;
    await delay(everyMs);
  }
}

/** Ends every server of the folders: thaws the frozen, asks all, and after `graceMs` kills what still lives. Returns how many there were. */
export async function sweep(folders, graceMs = 8_000) {
  const found = serversIn(folders);
  for (const pid of found) {
    signal(pid, 'SIGTERM');
    signal(pid, 'SIGCONT');
  }
  // Patroni restarts a PostgreSQL that ended first, so what lives is looked up anew each time.
  if (!(await until(() => serversIn(folders).length === 0, graceMs))) {
    const ended = await until(() => {
      const left = serversIn(folders);
      for (const pid of left) signal(pid, 'SIGKILL');
      return left.length === 0;
    }, 10_000);
    if (!ended) throw new Error(`These processes cannot be ended: ${serversIn(folders).join(', ')}.`);
  }
  return found.length;
}
