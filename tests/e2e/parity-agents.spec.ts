import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParityReport } from '@moon/backtesting';
import { moon } from '../support/moon';
import { PlatformProcess } from '../support/platform';
import { lastJson } from '../support/processes';

const AGENT = join(__dirname, '..', 'fixtures', 'agents', 'stuck-agent.js');

// A process starts in a second or two; on a machine that is busy with other suites it may take many more.
jest.setTimeout(120_000);

describe('Parity of a run in which an agent timed out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-parity-agents-'));
  const dataDir = join(folder, 'data');
  let platform: PlatformProcess | null = null;
  afterAll(async () => {
    if (platform?.child.isRunning) await platform.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('[US3-3] takes the dead letter and its replay as recorded, and finds the rest equal', async () => {
    const settings = join(folder, 'settings.json');
    writeFileSync(settings, JSON.stringify({ userAgents: [AGENT], agentTimeoutMs: 500, feed: { tokens: ['BTC'] } }));
    const args = ['--config', settings, '--data-dir', dataDir, '--port', '0'];
    platform = new PlatformProcess(args, undefined, { STUCK_AGENT: join(folder, 'stuck') });
    await platform.ready();
    await platform.said(/"attempts":3.*agent timed out|agent timed out.*"attempts":3/);

    const listed = await moon(['dead-letters', 'list', '--data-dir', dataDir, '--json']);
    const { letters } = lastJson<{ letters: Array<{ handler: string; eventId: string }> }>(listed);
    const letter = letters.find(({ handler }) => handler === 'agent/stuck');
    const again = ['dead-letters', 'replay', letter?.eventId ?? '', '--handler', 'agent/stuck'];
    const replayed = await moon([...again, '--data-dir', dataDir, '--json']);
    expect({ code: replayed.code, stderr: replayed.stderr }).toMatchObject({ code: 0 });
    expect((await platform.interrupt()).ended.code).toBe(0);

    const ended = await moon(['parity', '--data-dir', dataDir, '--agents', AGENT, '--json']);
    const report = lastJson<ParityReport>(ended);
    expect(report).toMatchObject({ equal: true, end: 'stopped', pending: 0, unchecked: {} });
    expect(report.skipped).toBeGreaterThan(0);
    expect(report.inputsByType).toMatchObject({ 'event.skipped': report.skipped, 'event.replayed': 1 });
    expect(report.comparedByType['signal.generated']).toBeGreaterThan(99);
    expect(report.state?.equal).toBe(true);
    expect(ended.code).toBe(0);
  });
});
