import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executionState } from '@moon/kernel';
import { EAGER_PLATFORM, PlatformProcess } from '../support/platform';
import { lehmer } from '../support/market';
import { dangling, foldPortfolio, gaps, handledAgain, storedLog } from '../support/stored-run';

const KILLS = 12;

describe('A live session that is killed again and again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-kills-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('goes on each time: one log without a gap, one portfolio that is the fold of it and the books of the venue', async () => {
    const settings = join(folder, 'settings.json');
    const dataDir = join(folder, 'data');
    writeFileSync(settings, JSON.stringify({ checkpointMs: 1_500, feed: { pace: 300 }, platform: EAGER_PLATFORM }));
    const start = async (): Promise<PlatformProcess> => {
      const platform = new PlatformProcess(['--config', settings, '--data-dir', dataDir, '--port', '0']);
      await platform.ready();
      return platform;
    };
    const random = lehmer(11);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const platform = await start();
      await new Promise((resolve) => setTimeout(resolve, 300 + random() * 5_000));
      await platform.kill();
    }
    const { ended, result } = await (await start()).interrupt();
    expect(ended.code).toBe(0);
    expect(result.venueDifferences).toEqual([]);
    const rows = await storedLog(dataDir, 'synthetic');
    expect(rows.length).toBe(result.events);
    expect(gaps(rows)).toEqual([]);
    expect(dangling(rows)).toEqual([]);
    expect(new Set(rows.map(({ event }) => event.id)).size).toBe(rows.length);
    expect(rows.filter(({ event }) => event.type === 'trade.executed').length).toBeGreaterThan(0);
    const fold = foldPortfolio(rows, 'main');
    expect(fold.cash).toBe(result.portfolios[0]?.cash);
    const { engine, unlogged } = await handledAgain(rows);
    expect(unlogged).toEqual([]);
    expect(executionState(engine, 'main')?.portfolio).toEqual(fold);
  });
});
