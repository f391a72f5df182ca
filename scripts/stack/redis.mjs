// Redis: three data nodes, one of them master, and three Sentinels that move the mastership.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOST, REDIS_MASTER_NAME, portOf } from './layout.mjs';
import { until } from './sweep.mjs';

const run = promisify(execFile);
const START_LIMIT_MS = 180_000;
const NODES = [1, 2, 3];

function nodeConfig({ index, basePort, folder }) {
  const lines = [
    `bind ${HOST}`,
    `port ${portOf(basePort, 'redis', index)}`,
    `dir "${folder}"`,
    'daemonize no',
    'appendonly yes',
    // CCH-2: a snapshot every 60 s.
    'save 60 1',
    // No key expires and none is evicted: a full cache refuses the write, it does not forget.
    'maxmemory-policy noeviction',
    'repl-diskless-sync-delay 0',
    'repl-ping-replica-period 1',
    'min-replicas-to-write 1',
    'min-replicas-max-lag 2',
  ];
  if (index > 1) lines.push(`replicaof ${HOST} ${portOf(basePort, 'redis', 1)}`);
  return `${lines.join('\n')}\n`;
}

const sentinelConfig = ({ index, basePort, folder }) =>
  [
    `bind ${HOST}`,
    `port ${portOf(basePort, 'sentinel', index)}`,
    `dir "${folder}"`,
    `sentinel monitor ${REDIS_MASTER_NAME} ${HOST} ${portOf(basePort, 'redis', 1)} 2`,
    `sentinel down-after-milliseconds ${REDIS_MASTER_NAME} 1000`,
    `sentinel failover-timeout ${REDIS_MASTER_NAME} 10000`,
    `sentinel parallel-syncs ${REDIS_MASTER_NAME} 1`,
    '',
  ].join('\n');

/** Configurations are written once: the servers rewrite them, and a failover's outcome is kept there. */
function writeOnce(path, text) {
  if (!existsSync(path)) writeFileSync(path, text, { mode: 0o600 });
}

export function prepareRedis({ tools, nodes, options: { basePort } }) {
  const specs = (kind, config, extra) =>
    NODES.map((index) => {
      const name = `${kind}-${index}`;
      const folder = join(nodes, name);
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `${kind}.conf`);
      writeOnce(file, config({ index, basePort, folder }));
      return { name, command: tools.redis.server, args: [file, ...extra], cwd: folder };
    });
  return { data: specs('redis', nodeConfig, []), sentinels: specs('sentinel', sentinelConfig, ['--sentinel']) };
}

/** Answer of redis-cli, '' when the server does not answer. */
async function ask(tools, port, ...command) {
  try {
    const { stdout } = await run(tools.redis.cli, ['-h', HOST, '-p', String(port), ...command], { timeout: 2_000 });
    return stdout;
  } catch {
    return '';
  }
}

/** Waits until one of the data nodes has both others online; Sentinels that start earlier take 10 s longer. */
export async function replicasOnline({ tools, options: { basePort }, stopped }, limitMs = START_LIMIT_MS) {
  return until(async () => {
    if (stopped()) return true;
    const answers = await Promise.all(
      NODES.map((index) => ask(tools, portOf(basePort, 'redis', index), 'info', 'replication')),
    );
    return answers.some((answer) => (answer.match(/^slave\d+:.*state=online/gm) ?? []).length === 2);
  }, limitMs);
}

/** Waits until every Sentinel sees a quorum and two replicas that are up. */
export async function redisReady({ tools, options: { basePort }, stopped }) {
  let problem = '';
  const ready = await until(async () => {
    if (stopped()) return true;
    const problems = await Promise.all(
      NODES.map(async (index) => {
        const port = portOf(basePort, 'sentinel', index);
        const quorum = await ask(tools, port, 'sentinel', 'ckquorum', REDIS_MASTER_NAME);
        if (!quorum.startsWith('OK 3 ')) return `sentinel-${index}: ${quorum.trim() || 'no answer'}`;
        const flags = await ask(tools, port, 'sentinel', 'replicas', REDIS_MASTER_NAME);
        const up = [...flags.matchAll(/^flags\n(.*)$/gm)].filter(([, value]) => value === 'slave').length;
        return up === 2 ? '' : `sentinel-${index} sees ${up} of 2 replicas`;
      }),
    );
    problem = problems.filter((text) => text !== '').join('; ');
    return problem === '';
  }, START_LIMIT_MS);
  if (!ready) throw new Error(`Redis is not ready after ${START_LIMIT_MS / 1000} s: ${problem}.`);
  if (!stopped() && !(await replicasOnline({ tools, options: { basePort }, stopped })))
    throw new Error(`Redis has no master with two replicas online after ${START_LIMIT_MS / 1000} s.`);
}

/** Port of the master as the Sentinels see it. */
export async function redisMaster({ tools, options: { basePort } }) {
  const answer = await ask(
    tools,
    portOf(basePort, 'sentinel', 1),
    'sentinel',
    'get-master-addr-by-name',
    REDIS_MASTER_NAME,
  );
  return Number(answer.split('\n')[1] ?? 0);
}
