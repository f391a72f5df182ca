import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { clusterConfigSchema, shardOfKey } from '@moon/cluster';
import type { AnyEvent } from '@moon/events';
import {
  ClusterLog,
  createRoles,
  KafkaConsumer,
  loadConfig,
  RedisProjectionCache,
  redisConfigSchema,
  type RedisConfig,
} from '@moon/infra';
import { groupPlans, Projector, type CacheUpdate } from '@moon/kernel';
import { Value } from '@sinclair/typebox/value';
import { Client } from 'pg';
import { moon } from '../support/moon';
import { EAGER_PLATFORM } from '../support/platform';
import { Child } from '../support/processes';
import { eventually } from './servers';
import * as stack from '../../scripts/stack/api.cjs';

const ROOT = resolve(__dirname, '..', '..');
const START = join(ROOT, 'scripts', 'start-distributed.mjs');
const BASE_PORT = 24_300;
/** Of each group, unless settings say otherwise. */
const SHARDS = 3;
const PATIENCE_MS = 240_000;

// Servers, then five processes that join two dozen groups: minutes on a machine that does other things, too.
jest.setTimeout(900_000);

const folder = mkdtempSync(join(tmpdir(), 'moon-distributed-'));
const stackDir = join(folder, 'stack');
let servers: Awaited<ReturnType<typeof stack.start>>;
let platform: Child;
let log: ClusterLog;

const start = (): Child =>
  new Child(START, [
    ...['--stack', stackDir, '--data-dir', join(folder, 'data'), '--config', join(folder, 'settings.json')],
    ...['--base-port', String(BASE_PORT), '--pace', '60'],
  ]);
const ready = (child: Child): Promise<string> => child.line((line) => line.startsWith('all') && line.includes('READY'));
const countOf = async (type: string): Promise<number> => (await log.countsByType())[type] ?? 0;

async function newest(type: string): Promise<AnyEvent> {
  const { rows } = await log.query({ types: [type], order: 'newest', limit: 1 });
  const event = rows[0]?.event;
  if (!event) throw new Error(`The log holds no ${type}.`);
  return event;
}

/** An event and everything that led to it, the root last. */
async function chainOf(event: AnyEvent): Promise<AnyEvent[]> {
  const chain = [event];
  for (let cause = event.causationId; cause !== null;) {
    // What is bus-first is archived a little after it happened; its journal had it before.
    const wanted = cause;
    const { rows } = await eventually(
      () => log.query({ eventId: wanted, limit: 1 }),
      (page) => page.rows.length > 0,
    );
    const [row] = rows;
    if (!row) throw new Error(`The cause ${cause} of ${chain[chain.length - 1]?.type} is not in the log.`);
    chain.push(row.event);
    cause = row.event.causationId;
  }
  return chain;
}

beforeAll(async () => {
  // PostgreSQL runs as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  mkdirSync(stackDir);
  settle({ platform: EAGER_PLATFORM });
  servers = await stack.start({ dir: stackDir, basePort: 0, only: ['kafka', 'postgres', 'redis'], fast: true });
  platform = start();
  await ready(platform);
  const { hosts, superuser, password } = servers.postgres!;
  const [first = { host: '127.0.0.1', port: 0 }] = hosts;
  const access = await createRoles({ ...first, hosts, user: superuser, password });
  log = new ClusterLog(access.app, 'moon');
});
afterAll(async () => {
  if (platform.isRunning) {
    platform.kill('SIGINT');
    await platform.ended;
  }
  await log?.close();
  await stack.stop(stackDir, { clean: true });
  rmSync(folder, { recursive: true, force: true });
});

describe('the distributed platform on real servers', () => {
  it('[SYS-1] is ready in the order of its components, each process with its own health', async () => {
    const order = platform.stdout
      .split('\n')
      .filter((line) => line.includes('READY in'))
      .map((line) => line.split(/\s/)[0]);
    expect(order.slice(0, 3)).toEqual(['recorder', 'execution', 'agents']);
    for (const index of order.keys()) {
      const answer = await fetch(`http://127.0.0.1:${BASE_PORT + index}/health/ready`);
      expect(answer.status).toBe(200);
      const { details } = (await answer.json()) as { details: Record<string, { status: string }> };
      for (const component of ['broker', 'event-store', 'cache', 'agents', 'api'])
        expect(details[component]).toMatchObject({ status: 'up' });
    }
  });

  it('[NFM-2] serves the metrics of each process: every shard that is wanted is live in one of them, and nothing fails', async () => {
    const texts = await Promise.all(
      [0, 1, 2, 3].map(async (index) => (await fetch(`http://127.0.0.1:${BASE_PORT + index}/metrics`)).text()),
    );
    const lines = texts.flatMap((text) => text.split('\n').filter((line) => line.startsWith('moon_')));
    const valuesOf = (name: string, label: string): [string, number][] =>
      lines
        .filter((line) => line.startsWith(`${name}{`))
        .map((line) => [new RegExp(`${label}="([^"]*)"`).exec(line)![1]!, Number(line.split(' ').pop())]);

    expect(valuesOf('moon_ready', 'app').sort()).toEqual(
      ['agents', 'api', 'execution', 'recorder'].map((app) => [app, 1]),
    );
    const live = valuesOf('moon_shard_live', 'group').filter(([, isLive]) => isLive === 1);
    const expected = Object.entries(Object.fromEntries(valuesOf('moon_shards_expected', 'group')));
    expect(expected.length).toBeGreaterThan(5);
    for (const [group, shards] of expected)
      expect([group, live.filter(([of]) => of === group).length]).toEqual([group, shards]);
    expect(valuesOf('moon_scrape_errors_total', 'source').filter(([, errors]) => errors > 0)).toEqual([]);
    for (const name of ['moon_feed_running', 'moon_relay_active', 'moon_cache_up', 'moon_projections_active'])
      expect([name, valuesOf(name, 'app').map(([, value]) => value)]).toEqual([name, [1]]);
    expect(valuesOf('moon_publish_acknowledged_seconds_count', 'publisher').map(([publisher]) => publisher)).toContain(
      'feed',
    );
  });

  it('[CARD-3] trades over Kafka: from a fill the log leads back, process by process, to a market event', async () => {
    expect(
      await eventually(
        () => countOf('portfolio.fill_booked'),
        (fills) => fills > 0,
        PATIENCE_MS,
      ),
    ).toBeGreaterThan(0);
    const chain = await chainOf(await newest('portfolio.fill_booked'));
    const types = chain.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['venue.report', 'order.submitted', 'order.approved']));
    expect(types).toEqual(expect.arrayContaining(['trade.consensus_approved', 'signal.generated']));
    const root = chain[chain.length - 1];
    expect(root?.source).toContain('feed/');
    expect(new Set(chain.map(({ correlationId }) => correlationId))).toEqual(new Set([root?.id]));
  });

  it('[SYS-4] shows readers in Redis what the log folds to', async () => {
    const { sentinels, name } = servers.redis!;
    const nodes = sentinels.map(({ host, port }) => `${host}:${port}`);
    const given = { mode: 'sentinel', nodes, primaryName: name };
    const config = Value.Default(redisConfigSchema, given) as RedisConfig;
    const cache = await RedisProjectionCache.connect(config);
    try {
      // Orders that have come to their end are shown as they ended, whatever happens meanwhile.
      const order = await newest('trade.executed');
      const key = `order:${String((order.data as { order_id: string }).order_id)}`;
      const folded = await foldedFrom(key);
      const shown = await eventually(
        async () => (await cache.get([key])).entries[0] ?? null,
        (entry) => entry !== null && entry.version >= folded.version,
        PATIENCE_MS,
      );
      expect(shown).toEqual({ version: folded.version, value: folded.value });
    } finally {
      await cache.close();
    }
  });

  it('[NFA-2] [SYS-8] goes on after each application was killed, with the same portfolio and nothing twice', async () => {
    for (const app of ['execution', 'agents', 'recorder']) {
      const fills = await countOf('portfolio.fill_booked');
      await killed(app);
      await expectFills(fills);
    }
    expect(await countOf('portfolio.opened')).toBe(1);
    const orders = new Map<string, number>();
    const { rows } = await log.query({ types: ['trade.executed'], order: 'oldest', limit: 1_000 });
    for (const { event } of rows) {
      const { fillId } = event.data as unknown as { fillId: string };
      orders.set(fillId, (orders.get(fillId) ?? 0) + 1);
    }
    expect([...orders.values()].filter((times) => times > 1)).toEqual([]);
  });

  it('[SYS-8] goes on under other settings after a crash: the past stays as it was decided', async () => {
    const other = { ...EAGER_PLATFORM, consensus: { ...EAGER_PLATFORM.consensus, threshold: 56 } };
    settle({ platform: other });
    await killed('execution');
    await expectFills(await countOf('portfolio.fill_booked'));
    const { rows } = await log.query({ types: ['config.activated'], streamId: 'config@consensus#0', limit: 10 });
    const thresholds = rows.map(({ event }) => (event.data as never as Settings).values.platform.consensus.threshold);
    expect(thresholds).toEqual([55, 56]);
    expect(await countOf('portfolio.opened')).toBe(1);
  });

  it('[NFA-1] [SYS-7] a shard whose journal cannot be read stands still alone, is named, and goes on once it can', async () => {
    const shard = `agent.chart#${shardOfKey('BTC', SHARDS)}`;
    const port = await portOf('agents');
    process.kill(await pidOf('agents'), 'SIGKILL');
    await sql(`CREATE TABLE kept AS SELECT shard, after_seq, entries FROM journal WHERE shard = '${shard}'`);
    await sql(`UPDATE journal SET entries = '{}' WHERE shard = '${shard}'`);
    await sql(`DELETE FROM shard_checkpoints WHERE shard = '${shard}'`);
    const health = async (): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
      return answer?.status === 503 ? await answer.text() : '';
    };
    const named = `shard ${shard} stands still: Journal of shard ${shard}, batch after`;
    expect(await eventually(health, (text) => text.includes(named), PATIENCE_MS)).toContain(named);
    const groups = async (): Promise<{ shard: string; isLive: boolean }[][]> => {
      const status = (await (await fetch(`http://127.0.0.1:${port}/status`)).json()) as AgentsStatus;
      return Object.values(status.parts).flatMap(({ shards }) => (shards ? [shards] : []));
    };
    const live = async (): Promise<string[]> =>
      (await groups()).flat().flatMap((one) => (one.isLive ? [one.shard] : []));
    const allButOne = SHARDS * (await groups()).length - 1;
    const names = await eventually(live, ({ length }) => length === allButOne, PATIENCE_MS);
    expect(names).toHaveLength(allButOne);
    expect(names).not.toContain(shard);
    await sql(`UPDATE journal SET entries = kept.entries FROM kept
      WHERE journal.shard = kept.shard AND journal.after_seq = kept.after_seq`);
    await sql('DROP TABLE kept');
    await eventually(
      () => pidOf('agents').catch(() => 0),
      (pid) => pid > 0,
      PATIENCE_MS,
    );
    expect(await live()).toContain(shard);
    await expectFills(await countOf('portfolio.fill_booked'));
  });

  it('[EVT-6] [NFA-2] emits an event version once every process reads it, and the older one until then', async () => {
    const older = await olderMember();
    try {
      const tooEarly = new Child('apps/agents/src/main.js', ['--instance', 'too-early'], {
        MOON_KAFKA__BROKERS: JSON.stringify(servers.kafka!.brokers),
      });
      const { code, stderr } = await tooEarly.ended;
      expect(code).toBe(2);
      expect(stderr).toContain('older-release reads signal.generated up to version 1');
      expect(stderr).toContain('"contracts.emit" {"signal.generated": 1}');

      settle({ platform: EAGER_PLATFORM, contracts: { emit: { 'signal.generated': 1 } } });
      await killed('agents');
      // Version 1 has no reason: what is read of it has an empty one.
      await eventually(reasonOfNewestSignal, (reason) => reason === '', PATIENCE_MS);
    } finally {
      await older.stop();
    }
    settle({ platform: EAGER_PLATFORM });
    await killed('agents');
    expect(await eventually(reasonOfNewestSignal, (reason) => reason !== '', PATIENCE_MS)).not.toBe('');
    await expectFills(await countOf('portfolio.fill_booked'));
  });

  it('[NFA-2] drains on Ctrl-C, in the opposite order, and goes on from there', async () => {
    platform.kill('SIGINT');
    const { code, stdout } = await platform.ended;
    expect(code).toBe(0);
    const stops = stdout.split('\n').flatMap((line) => /^(\S+)\s+is asked to stop/.exec(line)?.[1] ?? []);
    expect(stops.indexOf('agents')).toBeLessThan(stops.indexOf('execution'));
    expect(stops.indexOf('execution')).toBeLessThan(stops.indexOf('recorder'));
    const fills = await countOf('portfolio.fill_booked');
    platform = start();
    await ready(platform);
    await expectFills(fills);
    expect(await countOf('portfolio.opened')).toBe(1);
  });

  it('[US3-3] is in parity with its journals, with all that was killed, changed and spoiled in between', async () => {
    const { code, stdout, stderr } = await moon(['parity', '--stack', stackDir, '--json']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^The cluster moon: 27 shards, /m) as string,
    });
    const report = JSON.parse(stdout) as { compared: number; equal: boolean; firstDivergence: unknown };
    expect(report).toMatchObject({ equal: true, firstDivergence: null });
    expect(report.compared).toBeGreaterThan(100);
  });
});

/** The part of the agents' `/status` that the test reads. */
interface AgentsStatus {
  parts: Record<string, { shards?: { shard: string; isLive: boolean }[] }>;
}

/** One statement on the primary, past what keeps the log from being changed. */
async function sql(text: string): Promise<void> {
  const { hosts, superuser: user, password } = servers.postgres!;
  for (const { host, port } of hosts) {
    const client = new Client({ host, port, user, password, database: 'moon' });
    await client.connect();
    try {
      const { rows } = await client.query<{ is: boolean }>('SELECT pg_is_in_recovery() AS is');
      if (rows[0]?.is) continue;
      await client.query("SET session_replication_role = 'replica'");
      await client.query(text);
      return;
    } finally {
      await client.end();
    }
  }
  throw new Error('None of the servers is the primary.');
}

/** The part of `config.activated` that the test changes. */
interface Settings {
  values: { platform: { consensus: { threshold: number } } };
}

async function foldedFrom(key: string): Promise<CacheUpdate> {
  const projector = new Projector();
  for await (const row of log.readLog(0)) projector.apply(row);
  return projector.entry(key);
}

function settle(settings: object): void {
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ checkpointMs: 2_000, ...settings }));
}

/** A process of the release before there was a second version of signals; it takes its part of a group and does nothing. */
async function olderMember(): Promise<KafkaConsumer> {
  const set = { 'kafka.brokers': JSON.stringify(servers.kafka!.brokers) };
  const { kafka, platform: own, shards } = loadConfig(clusterConfigSchema, { env: {}, flags: {}, set });
  const { name: groupId, keyed: topics } = groupPlans(own).find(({ name }) => name === 'consensus')!;
  const consumer = new KafkaConsumer({
    ...{ settings: kafka, groupId, topics, shards, from: 'end' },
    contracts: { owner: 'older-release', reads: {}, emits: {} },
  });
  const nothing = (): Promise<void> => Promise.resolve();
  await consumer.start({ assigned: nothing, revoked: nothing, messages: nothing, expired: nothing });
  return consumer;
}

const reasonOfNewestSignal = async (): Promise<string> =>
  ((await newest('signal.generated')).data as unknown as { reason: string }).reason;

/** Kills a process of an application, and waits until another one answers in its place. */
async function killed(app: string): Promise<void> {
  const pid = await pidOf(app);
  process.kill(pid, 'SIGKILL');
  await eventually(
    () => pidOf(app).catch(() => pid),
    (now) => now !== pid,
    PATIENCE_MS,
  );
}

/** It trades on: there are more fills than there were. */
async function expectFills(before: number): Promise<void> {
  const fills = await eventually(
    () => countOf('portfolio.fill_booked'),
    (now) => now > before,
    PATIENCE_MS,
  );
  expect(fills).toBeGreaterThan(before);
}

/** The process of an application that is READY, as its own status says. */
const pidOf = async (app: string): Promise<number> => (await readyOf(app)).pid;
const portOf = async (app: string): Promise<number> => (await readyOf(app)).port;

async function readyOf(app: string): Promise<{ pid: number; port: number }> {
  for (let port = BASE_PORT; port < BASE_PORT + 5; port += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => null);
    const status = (await answer?.json()) as { app: string; pid: number; state: string } | undefined;
    if (status?.app === app && status.state === 'READY') return { pid: status.pid, port };
  }
  throw new Error(`No process of ${app} is READY.`);
}
