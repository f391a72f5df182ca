import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cmp } from '@moon/domain';
import { executionState, type RunResult } from '@moon/kernel';
import { EAGER_PLATFORM, PlatformProcess, takenPort } from '../support/platform';
import { dangling, filledByOrder, foldPortfolio, gaps, handledAgain, storedLog } from '../support/stored-run';

const PACE = '300';
const folder = mkdtempSync(join(tmpdir(), 'moon-session-'));
const settings = join(folder, 'settings.json');
const started: PlatformProcess[] = [];
/** Process groups that tests made, by their leaders. */
const groups: ChildProcess[] = [];

function start(dataDir: string, ...args: string[]): PlatformProcess {
  const platform = new PlatformProcess(['--config', settings, '--data-dir', join(folder, dataDir), ...args]);
  started.push(platform);
  return platform;
}

async function status(url: string): Promise<{ code: number; body: Record<string, unknown> }> {
  const response = await fetch(url);
  return { code: response.status, body: (await response.json()) as Record<string, unknown> };
}

beforeAll(() => {
  const feed = { pace: Number(PACE) };
  writeFileSync(settings, JSON.stringify({ checkpointMs: 2_000, feed, platform: EAGER_PLATFORM }));
});
afterAll(async () => {
  await Promise.all(started.filter(({ child }) => child.isRunning).map((platform) => platform.kill()));
  for (const { pid, exitCode, signalCode } of groups)
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

// A process starts in a second or two; on a machine that is busy with other suites it may take many more.
jest.setTimeout(90_000);

describe('A session', () => {
  let first: RunResult;
  let countOfFirst = 0;

  it('[SYS-1] starts its components in order and is READY when all are healthy; a second instance on its data is refused', async () => {
    const platform = start('one', '--port', '0');
    const url = await platform.ready();
    const ready = await status(`${url}/health/ready`);
    expect(ready.code).toBe(200);
    const { details } = ready.body as { details: Record<string, { status: string; since?: string }> };
    const components = ['broker', 'event-store', 'cache', 'agents', 'api'];
    expect(components.map((name) => details[name]?.status)).toEqual(components.map(() => 'up'));
    const since = components.map((name) => details[name]?.since ?? '');
    expect([...since].sort()).toEqual(since);
    expect((await status(`${url}/health/live`)).code).toBe(200);
    expect((await status(`${url}/health/startup`)).code).toBe(200);

    const second = await start('one', '--port', '0').child.ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`The data directory ${join(folder, 'one')} is in use by another instance`);
    expect((await status(`${url}/health/ready`)).code).toBe(200);

    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const { ended, result } = await platform.interrupt();
    expect(ended.code).toBe(0);
    expect(result.venueDifferences).toEqual([]);
    first = result;
  });

  it('drained by Ctrl-C: everything that it counted is stored, in one order without a gap, no cause is missing', async () => {
    const rows = await storedLog(join(folder, 'one'), first.run);
    countOfFirst = rows.length;
    expect(rows.length).toBe(first.events);
    expect(gaps(rows)).toEqual([]);
    expect(dangling(rows)).toEqual([]);
    expect(rows.map(({ event }) => event.type)).toContain('system.stopped');
    expectPortfolio(first, rows);
  });

  it('continues at the next start with the same portfolio, and again after kill -9', async () => {
    const resumed = start('one', '--port', '0');
    await resumed.ready();
    expect(resumed.child.stderr).toContain('(continued)');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await resumed.kill();
    const last = start('one', '--port', '0');
    await last.ready();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { ended, result } = await last.interrupt();
    expect(ended.code).toBe(0);
    expect(result.venueDifferences).toEqual([]);
    const rows = await storedLog(join(folder, 'one'), first.run);
    expect(rows.length).toBe(result.events);
    expect(rows.length).toBeGreaterThan(countOfFirst);
    expect(gaps(rows)).toEqual([]);
    expect(dangling(rows)).toEqual([]);
    expect(rows.filter(({ event }) => event.type === 'portfolio.opened')).toHaveLength(1);
    expect(new Set(rows.map(({ event }) => event.id)).size).toBe(rows.length);
    expectPortfolio(result, rows);
    expectOrders(rows);
    // The agents had a thread of their own; on one thread the same log gives the same events and the same portfolio (rule 1).
    const { engine, unlogged } = await handledAgain(rows);
    expect(unlogged).toEqual([]);
    expect(executionState(engine, 'main')?.portfolio).toEqual(foldPortfolio(rows, 'main'));
  });

  it('Ctrl-C at `npm start`, which the terminal gives to npm, its shell and the platform: it drains, and npm ends with 0', async () => {
    const args = ['start', '--', '--config', settings, '--data-dir', join(folder, 'npm'), '--port', '0'];
    // A process group of its own, as a terminal makes one for each command.
    const npm = spawn('npm', [...args, '--feed', 'synthetic', '--json'], {
      cwd: resolve(__dirname, '../..'),
      detached: true,
    });
    groups.push(npm);
    const said = { out: '', err: '' };
    npm.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
    const ended = new Promise((done) => npm.on('close', (code, signal) => done({ code, signal })));
    await new Promise<void>((ready, failed) => {
      npm.stderr.on('data', (chunk: Buffer) => {
        said.err += chunk.toString();
        if (said.err.includes('READY in')) ready();
      });
      npm.on('close', () => failed(new Error(`npm start ended: ${said.err}`)));
    });
    process.kill(-(npm.pid ?? 0), 'SIGINT');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(JSON.parse(said.out.trim().split('\n').at(-1) ?? '')).toMatchObject({ run: 'synthetic' });
    const rows = await storedLog(join(folder, 'npm'), 'synthetic');
    expect(rows.map(({ event }) => event.type)).toContain('system.stopped');
  });

  it('[SYS-2] a start that fails says why, accepts no trading signals, and emits system.startup_failure', async () => {
    const taken = await takenPort();
    const ended = await start('two', '--port', String(taken.port)).child.ended;
    await taken.release();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`port ${taken.port} on 127.0.0.1 is taken`);
    const rows = await storedLog(join(folder, 'two'), 'synthetic');
    expect(rows.map(({ event }) => event.type)).toEqual(['system.startup_failure']);
    const failure = rows[0]?.event;
    expect(failure?.type === 'system.startup_failure' && failure.data.component).toBe('api');
    const again = start('two', '--port', '0');
    await again.ready();
    const { ended: end } = await again.interrupt();
    expect(end.code).toBe(0);
  });
});

type Rows = Awaited<ReturnType<typeof storedLog>>;

/** What the platform said at its end is what the log alone tells, for every portfolio. */
function expectPortfolio(result: RunResult, rows: Rows): void {
  for (const { name, cash, positions } of result.portfolios) {
    const fold = foldPortfolio(rows, name);
    expect(fold.cash).toBe(cash);
    const held = Object.entries(fold.positions).map(([instrument, { quantity }]) => [instrument, quantity]);
    expect(held.sort()).toEqual(positions.map(({ instrument, quantity }) => [instrument, quantity]).sort());
  }
}

/** The run traded; no order was submitted twice under two names, none was filled beyond what was asked. */
function expectOrders(rows: Rows): void {
  const requested = new Map<string, string>();
  for (const { event } of rows)
    if (event.type === 'order.requested') requested.set(event.data.order_id, event.data.quantity);
  const filled = filledByOrder(rows);
  expect(filled.size).toBeGreaterThan(0);
  for (const [id, quantity] of filled) expect(cmp(quantity, requested.get(id) ?? '0')).toBeLessThanOrEqual(0);
}
