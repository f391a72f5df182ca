// One server under supervision: started so that it cannot outlive the supervisor, and started again when it dies.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { delay, isAlive, processStatus, signal, until } from './sweep.mjs';

const STEADY_AFTER_MS = 5_000;
const LONGEST_DELAY_MS = 5_000;
const LOG_LIMIT_BYTES = 50 * 1024 * 1024;

/** Appends to the log; one that has grown large becomes `.1` first. */
function openLog(path) {
  mkdirSync(dirname(path), { recursive: true });
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a');
}

export class ServerProcess {
  pid = undefined;
  restarts = 0;
  startedAt = undefined;
  #wanted = false;
  #quickDeaths = 0;

  /**
   * @param spec `{ name, command, args, cwd, env, user }`; `user` = `{ uid, gid }` drops root.
   * @param options `{ logs, onEvent }`: folder of the logs, and who hears what happens.
   */
  constructor(spec, { logs, onEvent }) {
    this.spec = spec;
    this.name = spec.name;
    this.log = join(logs, `${spec.name}.log`);
    this.onEvent = onEvent;
  }

  get running() {
    return this.pid !== undefined && isAlive(this.pid);
  }

  /** running, paused (SIGSTOP) or down. */
  get state() {
    if (!this.running) return 'down';
    return processStatus(this.pid)?.state === 'T' ? 'paused' : 'running';
  }

  start() {
    this.#wanted = true;
    if (this.running) return;
    const { command, args, cwd, env, user } = this.spec;
    const drop = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
    const log = openLog(this.log);
    this.logOffset = statSync(this.log).size;
    // The kernel itself sends SIGTERM when the supervisor dies; setpriv becomes the server, so the pid is the server's.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...drop, '--', command, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const startedAt = Date.now();
    this.pid = child.pid;
    this.startedAt = startedAt;
    child.on('error', (error) => this.#ended(startedAt, error.message));
    child.on('exit', (code, signalName) => this.#ended(startedAt, signalName ?? `code ${code}`));
    this.onEvent(this.name, `started, pid ${child.pid}`);
  }

  #ended(startedAt, how) {
    if (this.startedAt !== startedAt) return;
    this.pid = undefined;
    this.onEvent(this.name, `ended (${how})`);
    if (!this.#wanted) return;
    // At once the first time: a dead Patroni that returns within a second costs 2.5 s of writes, a later one 20 s.
    this.#quickDeaths = Date.now() - startedAt < STEADY_AFTER_MS ? this.#quickDeaths + 1 : 0;
    const wait = this.#quickDeaths === 0 ? 0 : Math.min(LONGEST_DELAY_MS, 100 * 2 ** this.#quickDeaths);
    setTimeout(() => {
      if (!this.#wanted || this.running) return;
      this.restarts += 1;
      this.start();
    }, wait);
  }

  /** SIGKILL; it comes back by itself unless it is to stay down. */
  async kill({ keepDown = false } = {}) {
    if (keepDown) this.#wanted = false;
    const pid = this.pid;
    if (pid === undefined) return;
    signal(pid, 'SIGKILL');
    await until(() => !isAlive(pid), 5_000, 10);
  }

  pause() {
    if (!this.running) throw new Error(`${this.name} is down and cannot be paused.`);
    signal(this.pid, 'SIGSTOP');
  }

  resume() {
    if (!this.running) throw new Error(`${this.name} is down and cannot be resumed; restart it.`);
    signal(this.pid, 'SIGCONT');
  }

  /** SIGTERM, and SIGKILL after `graceMs`. */
  async stop(graceMs = 20_000) {
    this.#wanted = false;
    const pid = this.pid;
    if (pid === undefined || !isAlive(pid)) return;
    signal(pid, 'SIGTERM');
    signal(pid, 'SIGCONT');
    if (await until(() => !isAlive(pid), graceMs)) return;
    this.onEvent(this.name, `did not end within ${graceMs / 1000} s: killed`);
    signal(pid, 'SIGKILL');
    await until(() => !isAlive(pid), 5_000);
    await delay(0);
  }
}
