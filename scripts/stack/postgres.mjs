// PostgreSQL as production has it: primary and synchronous standby under Patroni, which keeps its truth in three etcd.
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { HOST, POSTGRES_PASSWORD, POSTGRES_USER, portOf } from './layout.mjs';
import { commandLine, familyOf, isAlive, processStatus, signal, until } from './sweep.mjs';

const START_LIMIT_MS = 180_000;
const NODES = [1, 2];

const at = (port) => `${HOST}:${port}`;

export function prepareEtcd({ tools, nodes, options: { basePort } }) {
  const peer = (index) => `http://${at(portOf(basePort, 'etcd-peer', index))}`;
  const cluster = [1, 2, 3].map((index) => `etcd-${index}=${peer(index)}`).join(',');
  return [1, 2, 3].map((index) => {
    const name = `etcd-${index}`;
    const folder = join(nodes, name);
    mkdirSync(folder, { recursive: true });
    const client = `http://${at(portOf(basePort, 'etcd', index))}`;
    const settings = {
      name,
      'data-dir': join(folder, 'data'),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer(index),
      'initial-advertise-peer-urls': peer(index),
      'initial-cluster': cluster,
    };
    const args = Object.entries(settings).flatMap(([option, value]) => [`--${option}`, value]);
    return { name, command: tools.postgres.etcd, args, cwd: folder };
  });
}

/** Configuration of Patroni node `index`, whose files are in `folder`. */
export function patroniConfig({ index, basePort, folder, binDir }) {
  const postgres = at(portOf(basePort, 'postgres', index));
  const restapi = at(portOf(basePort, 'patroni', index));
  return {
    scope: 'moon',
    name: `patroni-${index}`,
    restapi: { listen: restapi, connect_address: restapi },
    etcd3: { hosts: [1, 2, 3].map((number) => at(portOf(basePort, 'etcd', number))).join(',') },
    bootstrap: {
      dcs: {
        // Patroni's floor: a failure that only the lease notices takes this long.
        ttl: 20,
        loop_wait: 1,
        retry_timeout: 3,
        maximum_lag_on_failover: 1_048_576,
        // Not strict: with two nodes, strict would stop all writes whenever one of them is away.
        synchronous_mode: true,
        failsafe_mode: true,
        primary_start_timeout: 0,
        postgresql: {
          use_pg_rewind: true,
          use_slots: true,
          parameters: { max_connections: 200, wal_log_hints: 'on', wal_keep_size: '128MB', hot_standby: 'on' },
        },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }, 'data-checksums'],
    },
    postgresql: {
      listen: postgres,
      connect_address: postgres,
      bin_dir: binDir,
      data_dir: join(folder, 'data'),
      pgpass: join(folder, 'pgpass'),
      authentication: {
        superuser: { username: POSTGRES_USER, password: POSTGRES_PASSWORD },
        replication: { username: 'replicator', password: POSTGRES_PASSWORD },
        rewind: { username: 'rewinder', password: POSTGRES_PASSWORD },
      },
      parameters: { unix_socket_directories: folder, shared_buffers: '64MB' },
      pg_hba: [
        'local all all trust',
        `host replication replicator ${HOST}/32 scram-sha-256`,
        `host all all ${HOST}/32 scram-sha-256`,
      ],
    },
  };
}

export function preparePatroni({ tools, postgresFolder, options: { basePort } }) {
  const { binDir, patroni, user } = tools.postgres;
  mkdirSync(postgresFolder, { recursive: true, mode: 0o755 });
  return NODES.map((index) => {
    const folder = join(postgresFolder, String(index));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'patroni.yml');
    writeFileSync(file, stringify(patroniConfig({ index, basePort, folder, binDir })), { mode: 0o600 });
    if (user !== undefined) for (const path of [folder, file]) chownSync(path, user.uid, user.gid);
    const data = join(folder, 'data');
    const env = { HOME: folder, PYTHONUNBUFFERED: '1' };
    return { name: `patroni-${index}`, command: patroni, args: [file], cwd: folder, env, user, data };
  });
}

export const isBootstrapped = (spec) => existsSync(join(spec.data, 'PG_VERSION'));

/** The PostgreSQL server beneath a Patroni node; Patroni starts it, so the supervisor only finds it. */
export class PostgresServer {
  constructor(name, data) {
    this.name = name;
    this.data = data;
  }

  /** Process id of the postmaster; undefined when it does not run. */
  get pid() {
    const file = join(this.data, 'postmaster.pid');
    if (!existsSync(file)) return undefined;
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return commandLine(pid)?.includes(this.data) && isAlive(pid) ? pid : undefined;
  }

  get state() {
    const { pid } = this;
    if (pid === undefined) return 'down';
    return processStatus(pid)?.state === 'T' ? 'paused' : 'running';
  }

  #livePid(what) {
    const { pid } = this;
    if (pid === undefined) throw new Error(`${this.name} is down and cannot be ${what}.`);
    return pid;
  }

  async kill() {
    const pid = this.#livePid('killed');
    signal(pid, 'SIGKILL');
    await until(() => !isAlive(pid), 5_000, 10);
  }

  /** Freezes the postmaster first, so that it starts no server process meanwhile, then those it has. */
  pause() {
    const pid = this.#livePid('paused');
    signal(pid, 'SIGSTOP');
    for (const member of familyOf(pid)) signal(member, 'SIGSTOP');
  }

  resume() {
    for (const member of familyOf(this.#livePid('resumed')).reverse()) signal(member, 'SIGCONT');
  }
}

/** What a Patroni node says of its server: `{ role, state, sync_standby }`; undefined when it does not answer. */
export async function patroniView(basePort, index) {
  try {
    const url = `http://${at(portOf(basePort, 'patroni', index))}/patroni`;
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return await response.json();
  } catch {
    return undefined;
  }
}

const isPrimary = (view) => ['primary', 'master'].includes(view?.role) && view.state === 'running';

export async function etcdReady({ options: { basePort }, stopped }) {
  const healthy = async (index) => {
    try {
      const url = `http://${at(portOf(basePort, 'etcd', index))}/health`;
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      return (await response.json()).health === 'true';
    } catch {
      return false;
    }
  };
  const ready = await until(
    async () => stopped() || (await Promise.all([1, 2, 3].map(healthy))).every(Boolean),
    START_LIMIT_MS,
  );
  if (!ready) throw new Error('etcd is not healthy on all three nodes; see the logs of etcd-1.');
}

/** Waits until one node is primary, and with `standby` until the other one is its synchronous standby. */
export async function postgresReady({ options: { basePort }, stopped }, { standby = true } = {}) {
  let seen = [];
  const ready = await until(async () => {
    if (stopped()) return true;
    seen = await Promise.all(NODES.map((index) => patroniView(basePort, index)));
    const primary = seen.findIndex(isPrimary);
    return primary >= 0 && (!standby || seen[1 - primary]?.sync_standby === true);
  }, START_LIMIT_MS);
  if (ready) return;
  const said = seen.map((view, index) => `patroni-${index + 1} is ${view ? `${view.role}, ${view.state}` : 'silent'}`);
  throw new Error(`PostgreSQL is not ready after ${START_LIMIT_MS / 1000} s: ${said.join('; ')}.`);
}
