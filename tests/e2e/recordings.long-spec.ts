import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '@moon/kernel';
import { Child, lastJson } from '../support/processes';

const DATA = join(process.env.MOON_SHARED ?? '../shared', 'data');

/** Plays files through `npm start`'s own program with a database of its own, to the end. */
async function play(name: string, files: readonly string[], settings: readonly string[] = []): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), `moon-${name}-`));
  try {
    const paths = files.map((file) => join(DATA, file));
    const run = [
      '--feed',
      'recorded',
      '--from',
      ...paths,
      '--speed',
      'max',
      '--exit',
      '--json',
      '--port',
      '0',
      '--data-dir',
      folder,
    ];
    const ended = await new Child('apps/standalone/src/main.js', [...run, ...settings]).ended;
    expect(ended.code).toBe(0);
    return lastJson<RunResult>(ended);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function expectRows(result: RunResult, candles: number, sentiments: number): void {
  expect(result.refusedByReason).toEqual({});
  expect(result.eventsByType['bar.opened']).toBe(candles);
  expect(result.eventsByType['bar.closed']).toBe(candles);
  expect(result.eventsByType['market.sentiment'] ?? 0).toBe(sentiments);
}

describe('Whole recordings through the local runtime, archived in PostgreSQL', () => {
  it('the crash of 2021: every row is in the log; twice the same hash', async () => {
    const files = ['candles/BTC-ETH-1m-20210419-20210531-crash.csv.gz'];
    const settings = ['--config', 'examples/crash.yaml'];
    const [first, second] = [await play('crash', files, settings), await play('crash', files, settings)];
    expect(second.stateHash).toBe(first.stateHash);
    expectRows(first, 122_972, 0);
    expect(first.eventsByType['position.closed']).toBeGreaterThan(0);
  });

  it('BTC and ETH of 2022 with fear and greed: every row is in the log; twice the same hash', async () => {
    const files = [
      'candles/BTCUSDT-1m-2022.csv.gz',
      'candles/ETHUSDT-1m-2022.csv.gz',
      'sentiment/fear-greed-2018-2022.csv.gz',
    ];
    const settings = ['--start', '2022-01-01', '--end', '2023-01-01T00:00:01Z'];
    const [first, second] = [await play('2022', files, settings), await play('2022', files, settings)];
    expect(second.stateHash).toBe(first.stateHash);
    expectRows(first, 1_051_200, 365);
  });
});
