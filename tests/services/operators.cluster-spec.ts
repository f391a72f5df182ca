import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { AnyEvent } from '@moon/events';
import { ClusterLog, createRoles, RedisProjectionCache, redisConfigSchema, type RedisConfig } from '@moon/infra';
import type { LogRow } from '@moon/kernel';
import { Value } from '@sinclair/typebox/value';
import { moon } from '../support/moon';
import { EAGER_PLATFORM } from '../support/platform';
import { Child, type Ended } from '../support/processes';
import { eventually } from './servers';
import * as stack from '../../scripts/stack/api.cjs';

const ROOT = resolve(__dirname, '..', '..');
const START = join(ROOT, 'scripts', 'start-distributed.mjs');
const BASE_PORT = 24_500;
const PATIENCE_MS = 240_000;
/** Wall time in which, at this pace, agents would open something again. */
const QUIET_MS = 15_000;

// Servers, then five processes that join two dozen groups: minutes on a machine that does other things, too.
jest.setTimeout(900_000);

const folder = mkdtempSync(join(tmpdir(), 'moon-operators-'));
const stackDir = join(folder, 'stack');
let servers: Awaited<ReturnType<typeof stack.start>>;
let platform: Child;
let log: ClusterLog;

const ask = (...argv: string[]): Promise<Ended> => moon([...argv, '--stack', stackDir]);
const countOf = async (type: string): Promise<number> => (await log.countsByType())[type] ?? 0;
const rowsOf = async (...types: string[]): Promise<LogRow[]> =>
  (await log.query({ types, order: 'newest', limit: 1_000 })).rows.reverse();
const eventsOf = async (...types: string[]): Promise<AnyEvent[]> => (await rowsOf(...types)).map(({ event }) => event);

/** Orders that open something and were approved after a place in the log; a refused one is in it, too. */
async function openedAfter(seq: number): Promise<AnyEvent[]> {
  const approvals = (await rowsOf('order.approved')).filter((row) => row.seq > seq);
  const approved = new Set(approvals.map(({ event }) => (event.type === 'order.approved' ? event.data.order_id : '')));
  return (await rowsOf('order.requested')).flatMap(({ event }) =>
    event.type === 'order.requested' && approved.has(event.data.order_id) && !event.data.reduceOnly ? [event] : [],
  );
}

async function moreFills(): Promise<void> {
  const before = await countOf('portfolio.fill_booked');
  const now = await eventually(
    () => countOf('portfolio.fill_booked'),
    (count) => count > before,
    PATIENCE_MS,
  );
  expect(now).toBeGreaterThan(before);
}

/** The process of an application that is up, as its own status says. */
async function pidOf(app: string): Promise<number> {
  for (let port = BASE_PORT; port < BASE_PORT + 5; port += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => null);
    const status = (await answer?.json()) as { app: string; pid: number; state: string } | undefined;
    if (status?.app === app && status.state === 'READY') return status.pid;
  }
  throw new Error(`No process of ${app} answers.`);
}

function redisConfig(): RedisConfig {
  const { sentinels, name } = servers.redis!;
  const nodes = sentinels.map(({ host, port }) => `${host}:${port}`);
  return Value.Default(redisConfigSchema, { mode: 'sentinel', nodes, primaryName: name }) as RedisConfig;
}

beforeAll(async () => {
  // PostgreSQL runs as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  mkdirSync(stackDir);
  writeFileSync(join(folder, 'settings.json'), JSON.stringify({ platform: EAGER_PLATFORM, checkpointMs: 2_000 }));
  servers = await stack.start({ dir: stackDir, basePort: 0, only: ['kafka', 'postgres', 'redis'], fast: true });
  platform = new Child(START, [
    ...['--stack', stackDir, '--data-dir', join(folder, 'data'), '--config', join(folder, 'settings.json')],
    ...['--base-port', String(BASE_PORT), '--pace', '60'],
  ]);
  await platform.line((line) => line.startsWith('all') && line.includes('READY'));
  const { hosts, superuser, password } = servers.postgres!;
  const [first = { host: '127.0.0.1', port: 0 }] = hosts;
  const access = await createRoles({ ...first, hosts, user: superuser, password });
  log = new ClusterLog(access.app, 'moon');
  await moreFills();
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

describe('operators and the distributed platform', () => {
  it('[SYS-8] halts a portfolio, over the death of its owner, and lifts the halt again', async () => {
    const halted = await ask('halt', '--portfolio', 'main', '--reason', 'maintenance', '--wait', '60');
    expect(halted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Portfolio main is halted/) as string });
    const isOurs = ({ event }: LogRow): boolean =>
      event.type === 'halt.raised' && event.data.source === 'operator' && event.data.reason === 'maintenance';
    const [raised, ...others] = (await rowsOf('halt.raised')).filter(isOurs);
    expect(others).toEqual([]);
    const [command] = await eventsOf('operator.command').then((all) =>
      all.filter(({ source }) => source === 'operator'),
    );
    expect(raised!.event.causationId).toBe(command!.id);
    const execution = await pidOf('execution');
    process.kill(execution, 'SIGKILL');
    await eventually(
      () => pidOf('execution').catch(() => execution),
      (now) => now !== execution,
      PATIENCE_MS,
    );
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    expect(await openedAfter(raised!.seq)).toEqual([]);
    expect((await rowsOf('halt.raised')).filter(isOurs)).toHaveLength(1);
    const lifted = await ask('lift', '--portfolio', 'main', '--wait', '60');
    expect(lifted).toMatchObject({ code: 0, stdout: expect.stringMatching(/"maintenance" is lifted/) as string });
    await moreFills();
  });

  it('halts all portfolios and releases them', async () => {
    expect(await ask('halt', '--global', '--reason', 'drill', '--wait', '60')).toMatchObject({ code: 0 });
    const raised = (await rowsOf('halt.raised')).filter(({ event }) => event.key === 'global');
    expect(raised.map(({ streamId }) => streamId)).toEqual([expect.stringMatching(/^halts-global@execution#\d$/)]);
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    expect(await openedAfter(raised[0]!.seq)).toEqual([]);
    expect(await ask('lift', '--global', '--wait', '60')).toMatchObject({ code: 0 });
    await moreFills();
  });

  it('refuses in one line what cannot be', async () => {
    const commands = await countOf('operator.command');
    const unknown = await ask('halt', '--portfolio', 'man', '--reason', 'x');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/^moon: .*Did you mean "main"/) as string });
    const foreign = await ask('lift', '--global');
    expect(foreign).toMatchObject({ code: 1, stderr: expect.stringMatching(/no operator's halt/) as string });
    expect(await countOf('operator.command')).toBe(commands);
  });

  it('[SYS-4] rebuilds what readers see while everything goes on, one at a time', async () => {
    const cache = await RedisProjectionCache.connect(redisConfig());
    try {
      const before = (await cache.identity()).generation;
      const both = await Promise.all([
        ask('projections', 'rebuild', '--json'),
        ask('projections', 'rebuild', '--json'),
      ]);
      const done = both.filter(({ code }) => code === 0);
      expect(done.length).toBeGreaterThan(0);
      for (const { code, stderr } of both)
        if (code !== 0) expect(stderr).toMatch(/^moon: Another rebuild of this deployment is under way/m);
      const last = done.map(({ stdout }) => JSON.parse(stdout) as { generation: string; keys: number });
      const { generation, isWhole } = await cache.identity();
      expect(isWhole).toBe(true);
      expect(last.map((one) => one.generation)).toContain(generation);
      expect(generation! > before!).toBe(true);
      for (const { keys } of last) expect(keys).toBeGreaterThan(10);
      // The recorder goes on in the new one.
      const newest = async (): Promise<string> => {
        const { entries } = await cache.get(['market:BTC.HYPERLIQUID:last']);
        return entries[0]?.version ?? '';
      };
      const shown = await newest();
      expect(shown).not.toBe('');
      expect(await eventually(newest, (version) => version > shown, PATIENCE_MS)).not.toBe(shown);
    } finally {
      await cache.close();
    }
  });

  it('[US3-3] stays in parity: what operators asked is in the journals', async () => {
    const ended = await eventually(
      () => ask('parity'),
      ({ code }) => code === 0,
      PATIENCE_MS,
    );
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^EQUAL/) as string });
  });
});
