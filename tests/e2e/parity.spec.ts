import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParityReport } from '@moon/backtesting';
import { EAGER_PLATFORM, PlatformProcess } from '../support/platform';
import { moon } from '../support/moon';
import { lastJson, type Ended } from '../support/processes';

const PARITY = join(__dirname, '..', 'parity');
const AGENTS = join(__dirname, '..', 'fixtures', 'agents', 'parity-agents.js');
const folder = mkdtempSync(join(tmpdir(), 'moon-parity-'));
const dataDir = join(folder, 'data');
const settings = join(folder, 'settings.json');
const started: PlatformProcess[] = [];

// A process starts in a second or two; on a machine that is busy with other suites it may take many more.
jest.setTimeout(240_000);

/** One portfolio follows a consensus that a user's agent alone votes in, the other follows two agents directly. */
const portfolio = (name: string, subscriptions: object): object => ({
  name,
  subscriptions,
  limits: { order_value: 6_000 },
});
const PLATFORM = {
  ...EAGER_PLATFORM,
  portfolios: [
    portfolio('main', {}),
    portfolio('direct', { consensus: false, agents: ['chart_agent', 'trading_agent'] }),
  ],
  consensus: { minimumAgents: 1, threshold: 60, cooldownMs: 0, voters: [{ agent: 'tie_agent', weight: 1 }] },
};

async function start(...args: string[]): Promise<PlatformProcess> {
  const given = ['--config', settings, '--data-dir', dataDir, '--port', '0', ...args];
  const platform = new PlatformProcess(given, join(PARITY, 'jittered-feed.cjs'));
  started.push(platform);
  await platform.ready();
  return platform;
}

const parity = (script?: string, ...args: string[]): Promise<Ended> =>
  moon(['parity', '--data-dir', dataDir, '--agents', AGENTS, '--json', ...args], script);
/** Waits until the running platform's log holds an event of each type: how long that takes is the machine's business. */
async function logged(...types: string[]): Promise<void> {
  for (const type of types) {
    for (;;) {
      const shown = await moon(['events', '--data-dir', dataDir, '--json', '--limit', '1', '--type', type]);
      if (shown.code === 0 && shown.stdout.includes(type)) break;
      await pass(250);
    }
  }
}
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const planted = (name: string): string => join(PARITY, 'planted', `${name}.cjs`);

beforeAll(() => {
  const model = { minMs: 20_000, maxMs: 60_000 };
  const feed = { pace: 240, tokens: ['BTC', 'ETH'] };
  writeFileSync(
    settings,
    JSON.stringify({ checkpointMs: 2_000, feed, model, userAgents: [AGENTS], platform: PLATFORM }),
  );
});
afterAll(async () => {
  await Promise.all(started.filter(({ child }) => child.isRunning).map((platform) => platform.kill()));
  rmSync(folder, { recursive: true, force: true });
});

describe('Parity of a live run with a jittered feed and a slow model', () => {
  it('[US3-3] finds a run that was killed equal as far as its log goes', async () => {
    const first = await start();
    await logged('signal.consensus_failed', 'inference.completed', 'event.skipped');
    await first.kill();
    const killed = await parity();
    expect({ code: killed.code, stderr: killed.stderr }).toMatchObject({ code: 0 });
    expect(killed.stderr).toContain('did not end cleanly');
    expect(lastJson<ParityReport>(killed)).toMatchObject({ equal: true, end: 'open', firstDivergence: null });
  });

  it('[US3-3] compares a run that is going on, up to where its log has come, and leaves it alone', async () => {
    const second = await start();
    await logged('signal.generated');
    const running = await parity();
    expect({ code: running.code, stderr: running.stderr }).toMatchObject({ code: 0 });
    expect(running.stderr).toContain('The run is going on');
    expect(second.child.isRunning).toBe(true);
    expect((await second.interrupt()).ended.code).toBe(0);
  });

  it('[US3-3] finds the whole run equal: id, data, order and states, across the kill and a change of settings', async () => {
    const third = await start(
      '--set',
      'platform.projection.snapshotEveryMs=120000',
      '--set',
      'platform.agents.chart.opening.minScore=60',
    );
    // What the next test asks of the log: the run traded, asked its model, an agent threw, a deadline fired.
    await logged(
      'trade.executed',
      'event.skipped',
      'signal.consensus_failed',
      'inference.completed',
      'deadline.reached',
    );
    await pass(3_000);
    expect((await third.interrupt()).ended.code).toBe(0);
    const ended = await parity();
    const report = lastJson<ParityReport>(ended);
    expect(report).toMatchObject({ equal: true, divergences: 0, end: 'stopped', pending: 0, unchecked: {}, notes: [] });
    expect(report.state).toMatchObject({ equal: true, seq: report.lastSeq });
    expect(report.configurations).toHaveLength(2);
    expect(ended.code).toBe(0);
    const { comparedByType, inputsByType } = report;
    expect(comparedByType['trade.executed']).toBeGreaterThan(0);
    expect(comparedByType['event.skipped']).toBeGreaterThan(0);
    expect(comparedByType['signal.consensus_failed']).toBeGreaterThan(0);
    expect(inputsByType['inference.completed']).toBeGreaterThan(0);
    expect(inputsByType['deadline.reached']).toBeGreaterThan(0);
    expect(report.operational).toBeGreaterThan(0);
  });

  it.each([
    ['threshold', 'signal.consensus_failed', 'type'],
    ['indicator', 'inference.requested', 'data.features'],
    ['limit', 'order.requested', 'data'],
  ])('[US3-3] finds the planted difference %s, and shows the first event that differs', async (name, type, path) => {
    const ended = await parity(planted(name));
    const report = lastJson<ParityReport>(ended);
    expect(ended.code).toBe(1);
    expect(report.equal).toBe(false);
    const first = report.firstDivergence;
    expect(first).toMatchObject({ kind: 'differs', type });
    expect(first?.paths.some((difference) => difference.path.startsWith(path))).toBe(true);
    expect(first?.cause?.event.id).toBe(first?.recorded?.causationId);
    expect(first?.chain.length).toBeGreaterThan(0);
  });

  it('takes what an agent whose module is not given said as recorded, and says so', async () => {
    const ended = await moon(['parity', '--data-dir', dataDir, '--json']);
    const report = lastJson<ParityReport>(ended);
    expect(report.equal).toBe(true);
    expect(Object.keys(report.unchecked)).toEqual(expect.arrayContaining(['agent/tie', 'agent/brittle']));
    expect(ended.stderr).toContain('--agents');
  });
});
