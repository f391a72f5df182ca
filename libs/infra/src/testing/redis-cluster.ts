import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort, startTestRedis, type TestRedis } from './redis';
import type { RedisConfig } from '../redis/config';

const run = promisify(execFile);
const PRIMARIES = 3;
/** ms of silence after which the other nodes take one for dead. */
const NODE_TIMEOUT_MS = 1_000;
/** ms within which the nodes tell each other what they know; a slot that is left half moved is never agreed upon. */
const AGREEMENT_MS = 30_000;

/** A real Redis Cluster of Debian's package: three primaries, each with a replica, on 127.0.0.1. */
export interface TestRedisCluster {
  nodes: readonly TestRedis[];
  config: RedisConfig;
  nodeTimeoutMs: number;
  /** The node that owns the key's slot: of the nodes at work that say so of themselves the one with the newest claim. */
  owner(key: string): Promise<TestRedis>;
  /** As `owner`, as soon as it is another node than this one. */
  ownerAfter(key: string, old: TestRedis): Promise<TestRedis>;
  /** A primary that does not own the key's slot. */
  otherPrimary(key: string): Promise<TestRedis>;
  /** How many nodes at work say that they are primaries. */
  primaryCount(): Promise<number>;
  /** Nodes that were neither killed nor paused. */
  atWork(): TestRedis[];
  /** The replica of a primary; all nodes must be at work. */
  replicaOf(primary: TestRedis): Promise<TestRedis>;
  kill(node: TestRedis): Promise<void>;
  pause(node: TestRedis): void;
  resume(node: TestRedis): void;
  start(node: TestRedis): Promise<void>;
  /** Starts and thaws whatever was killed or paused, and waits until the cluster is ready. */
  mend(): Promise<void>;
  /** Waits until all nodes are at work and agree on who owns which slot, and every replica follows its primary. */
  ready(): Promise<void>;
  /** Deletes every key of every primary. */
  empty(): Promise<void>;
  /** `redis-cli --cluster COMMAND VALUES`. Returns what it printed. */
  cli(command: string, ...values: string[]): Promise<string>;
  /** How many slots the owner of the key's slot has up to that one, itself counted. */
  slotsUpTo(key: string): Promise<number>;
  /** Id of a node in the cluster. */
  idOf(node: TestRedis): Promise<string>;
  stop(): Promise<void>;
}

export interface TestRedisClusterOptions {
  password?: string;
  settings?: Record<string, string>;
}

/** One line of CLUSTER NODES: what a node says of itself. */
interface Self {
  node: TestRedis;
  id: string;
  /** Whom it follows; '-' for a primary. */
  primaryId: string;
  isPrimary: boolean;
  epoch: number;
  /** Ranges of slots, both ends included. */
  ranges: [number, number][];
}

async function selfOf(node: TestRedis): Promise<Self> {
  const lines = ((await node.command('CLUSTER', 'NODES')) as string).split('\n');
  const fields = lines.find((line) => line.includes('myself'))!.split(' ');
  const ranges = fields.slice(8).flatMap((text): [number, number][] => {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
    return from === undefined ? [] : [[Number(from), Number(to ?? from)]];
  });
  return {
    node,
    id: fields[0]!,
    primaryId: fields[3]!,
    isPrimary: fields[2]!.includes('master'),
    epoch: Number(fields[6]),
    ranges,
  };
}

/** Whether a node sees every slot covered and, as a replica, follows its primary. */
async function isReady(node: TestRedis): Promise<boolean> {
  const state = (await node.command('CLUSTER', 'INFO')) as string;
  const replication = (await node.command('INFO', 'replication')) as string;
  const isFollowed = /role:slave/.test(replication)
    ? /master_link_status:up/.test(replication)
    : /slave0:.*state=online/.test(replication);
  return /cluster_state:ok/.test(state) && /cluster_known_nodes:6/.test(state) && isFollowed;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(50);
}

export async function startTestRedisCluster(options: TestRedisClusterOptions = {}): Promise<TestRedisCluster> {
  const { password, settings = {} } = options;
  const nodes: TestRedis[] = [];
  const away = new Set<TestRedis>();
  const killed = new Set<TestRedis>();
  const atWork = (): TestRedis[] => nodes.filter((node) => !away.has(node));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const cli = async (command: string, ...values: string[]): Promise<string> => {
    const login = password === undefined ? [] : ['-a', password, '--no-auth-warning'];
    const { stdout } = await run('redis-cli', [...login, '--cluster', command, ...values]);
    return stdout;
  };
  const claims = async (key: string): Promise<{ slot: number; owner: Self; primaries: Self[] } | null> => {
    const slot = Number(await atWork()[0]!.command('CLUSTER', 'KEYSLOT', key));
    const selves = await Promise.all(atWork().map((node) => selfOf(node)));
    const primaries = selves.filter(({ isPrimary }) => isPrimary).sort((one, other) => other.epoch - one.epoch);
    const owner = primaries.find(({ ranges }) => ranges.some(([from, to]) => slot >= from && slot <= to));
    return owner ? { slot, owner, primaries } : null;
  };
  const ownerAfter = async (key: string, old: TestRedis | null): Promise<TestRedis> => {
    for (;;) {
      const found = await claims(key);
      if (found && found.owner.node !== old) return found.owner.node;
      await pause(50);
    }
  };
  const ready = async (): Promise<void> => {
    await until(async () => (await Promise.all(nodes.map((node) => isReady(node)))).every((is) => is));
    // What one node says of a slot reaches the others by gossip; redis-cli reshards nothing before.
    const agreeBy = Date.now() + AGREEMENT_MS;
    await until(async () => {
      try {
        await cli('check', `127.0.0.1:${nodes[0]!.port}`);
        return true;
      } catch (error) {
        if (Date.now() > agreeBy) throw error;
        return false;
      }
    });
  };
  try {
    for (let index = 0; index < 2 * PRIMARIES; index += 1) {
      nodes.push(
        await startTestRedis({
          ...(password !== undefined && { password }),
          settings: {
            'cluster-enabled': 'yes',
            'cluster-node-timeout': String(NODE_TIMEOUT_MS),
            'cluster-port': String(await freePort()),
            'repl-diskless-sync-delay': '0',
            'repl-ping-replica-period': '1',
            appendonly: 'yes',
            ...(password !== undefined && { masterauth: password }),
            ...settings,
          },
        }),
      );
    }
    await cli('create', ...nodes.map(({ port }) => `127.0.0.1:${port}`), '--cluster-replicas', '1', '--cluster-yes');
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  const resume = (node: TestRedis): void => {
    away.delete(node);
    node.resume();
  };
  const start = async (node: TestRedis): Promise<void> => {
    await node.start();
    killed.delete(node);
    away.delete(node);
  };
  return {
    ...{ resume, start, atWork },
    ...{ nodes, nodeTimeoutMs: NODE_TIMEOUT_MS, ready, cli, stop, ownerAfter },
    config: { ...nodes[0]!.config, mode: 'cluster', nodes: nodes.map(({ port }) => `127.0.0.1:${port}`) },
    owner: (key) => ownerAfter(key, null),
    otherPrimary: async (key) => {
      const found = await claims(key);
      return found!.primaries.find(({ node }) => node !== found!.owner.node)!.node;
    },
    primaryCount: async () => {
      const selves = await Promise.all(atWork().map((node) => selfOf(node)));
      return selves.filter(({ isPrimary }) => isPrimary).length;
    },
    replicaOf: async (primary) => {
      const { id } = await selfOf(primary);
      const selves = await Promise.all(nodes.map((node) => selfOf(node)));
      return selves.find(({ primaryId }) => primaryId === id)!.node;
    },
    kill: async (node) => {
      away.add(node);
      killed.add(node);
      await node.kill();
    },
    pause: (node) => {
      away.add(node);
      node.pause();
    },
    mend: async () => {
      await Promise.all([...killed].map((node) => start(node)));
      for (const node of away) resume(node);
      await ready();
    },
    empty: async () => {
      const selves = await Promise.all(nodes.map((node) => selfOf(node)));
      await Promise.all(selves.filter((self) => self.isPrimary).map(({ node }) => node.command('FLUSHALL')));
    },
    slotsUpTo: async (key) => {
      const { slot, owner } = (await claims(key))!;
      return owner.ranges.reduce((count, [from, to]) => count + Math.max(0, Math.min(to, slot) - from + 1), 0);
    },
    idOf: async (node) => (await selfOf(node)).id,
  };
}
