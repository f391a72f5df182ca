// Names, ports and folders of the native stack. Everything here is a plain function of the options.
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export { DEFAULT_BASE_PORT, KINDS } from './api.cjs';
export const HOST = '127.0.0.1';
/** Added to a server's port, this gives the port of its Toxiproxy proxy: a client rewrites ports instead of addresses. */
export const PROXY_OFFSET = 200;
/** Development credentials of servers that listen on this machine only. */
export const POSTGRES_USER = 'postgres';
export const POSTGRES_PASSWORD = 'moon-stack';
export const REDIS_MASTER_NAME = 'moon';

const OFFSETS = {
  kafka: 90,
  controller: 190,
  patroni: 400,
  postgres: 410,
  etcd: 420,
  'etcd-peer': 430,
  redis: 440,
  sentinel: 450,
  toxiproxy: 474,
};

/** Port of node `index` (from 1) of a kind; `toxiproxy` has a single one, its HTTP API. */
export const portOf = (basePort, kind, index = 0) => basePort + OFFSETS[kind] + index;

const numbered = (kind, count) => Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);

/** Processes that the supervisor starts itself. PostgreSQL servers are not among them: Patroni starts those. */
export function processNames({ only, brokers }) {
  return [
    ...(only.includes('kafka') ? numbered('kafka', brokers) : []),
    ...(only.includes('postgres') ? [...numbered('etcd', 3), ...numbered('patroni', 2)] : []),
    ...(only.includes('redis') ? [...numbered('redis', 3), ...numbered('sentinel', 3)] : []),
    ...(only.includes('toxiproxy') ? ['toxiproxy'] : []),
  ];
}

/** All nodes that a command may name: the processes and the PostgreSQL servers under Patroni. */
export const nodeNames = (options) => [
  ...processNames(options),
  ...(options.only.includes('postgres') ? numbered('postgres', 2) : []),
];

/** Servers that get a proxy, with the port they listen on. */
export function proxied({ only, brokers, basePort }) {
  const names = [
    ...(only.includes('kafka') ? numbered('kafka', brokers) : []),
    ...(only.includes('postgres') ? numbered('postgres', 2) : []),
    ...(only.includes('redis') ? [...numbered('redis', 3), ...numbered('sentinel', 3)] : []),
  ];
  return names.map((name) => {
    const [kind, index] = name.split('-');
    return { name, port: portOf(basePort, kind, Number(index)) };
  });
}

/** Every port that the stack will listen on, by what listens there. */
export function ports(options) {
  const { basePort, brokers, only } = options;
  const found = new Map();
  for (const name of nodeNames(options)) {
    const [kind, index] = name.split('-');
    found.set(name, portOf(basePort, kind, Number(index ?? 0)));
    if (kind === 'etcd') found.set(`${name} (peers)`, portOf(basePort, 'etcd-peer', Number(index)));
  }
  if (only.includes('kafka'))
    for (let index = 1; index <= brokers; index += 1)
      found.set(`kafka-${index} (controller)`, portOf(basePort, 'controller', index));
  if (only.includes('toxiproxy'))
    for (const { name, port } of proxied(options)) found.set(`${name} through toxiproxy`, port + PROXY_OFFSET);
  return found;
}

const isOpenToAll = (folder) => {
  for (let path = folder; ; path = dirname(path)) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && (stats.mode & 0o001) === 0) return false;
    if (dirname(path) === path) return true;
  }
};

/**
 * `wanted`, or a folder under the system's temporary one when other users cannot get there or the path is too long for
 * a socket in it: started as root, PostgreSQL runs as a user who must be able to enter its folder.
 */
export function reachableFolder(wanted) {
  const path = resolve(wanted);
  if (path.length <= 70 && (process.getuid() !== 0 || isOpenToAll(path))) return path;
  return join(tmpdir(), `moon-stack-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`);
}

/** Makes a folder that others may enter. @throws when somebody else made it first, as may happen under the temporary one */
export function makeOwnFolder(path) {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  if (statSync(path).uid !== process.getuid())
    throw new Error(`${path} belongs to somebody else; remove it, or choose another folder.`);
  return path;
}

/** Folders and files of the stack in `dir`. */
export function paths(dir) {
  const root = resolve(dir);
  const reachable = reachableFolder(root);
  return {
    root,
    reachable,
    nodes: join(root, 'nodes'),
    postgres: join(reachable, 'postgres'),
    logs: join(root, 'logs'),
    lock: join(root, 'stack.lock'),
    state: join(root, 'stack.json'),
    layout: join(root, 'layout.json'),
    supervisorLog: join(root, 'logs', 'supervisor.log'),
  };
}

/** What a client needs to know; written to stack.json. */
export function addresses({ only, brokers, basePort }) {
  const list = (kind, count) => Array.from({ length: count }, (_, index) => portOf(basePort, kind, index + 1));
  const at = (port) => `${HOST}:${port}`;
  const through = (port) => port + PROXY_OFFSET;
  const host = (port) => ({ host: HOST, port });
  const proxies = only.includes('toxiproxy');
  const state = {};
  if (only.includes('kafka')) {
    const own = list('kafka', brokers);
    state.kafka = { brokers: own.map(at), viaToxiproxy: proxies ? own.map(through).map(at) : [] };
  }
  if (only.includes('postgres')) {
    const own = list('postgres', 2);
    state.postgres = {
      hosts: own.map(host),
      viaToxiproxy: proxies ? own.map(through).map(host) : [],
      superuser: POSTGRES_USER,
      password: POSTGRES_PASSWORD,
      patroni: list('patroni', 2).map((port) => `http://${at(port)}`),
    };
  }
  if (only.includes('redis')) {
    const [sentinels, nodes] = [list('sentinel', 3), list('redis', 3)];
    state.redis = {
      sentinels: sentinels.map(host),
      name: REDIS_MASTER_NAME,
      nodes: nodes.map(host),
      viaToxiproxy: {
        sentinels: proxies ? sentinels.map(through).map(host) : [],
        nodes: proxies ? nodes.map(through).map(host) : [],
      },
    };
  }
  if (proxies)
    state.toxiproxy = {
      api: `http://${at(portOf(basePort, 'toxiproxy'))}`,
      proxies: proxied({ only, brokers, basePort }).map(({ name }) => name),
    };
  return state;
}
