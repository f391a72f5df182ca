import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  backtestConfigSchema,
  BacktestService,
  type BacktestJob,
  type BacktestResult,
  type RunningBacktest,
} from '@moon/backtesting';
import { loadConfig } from '@moon/infra';
import { writeFixture } from './testing';

const WORKER = join(__dirname, '../../../../../dist/apps/cli/src/commands/backtest/backtest.worker.js');
const RESOURCES = { resources: { store: null } };

describe('the service that runs backtests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-service-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const { config: file } = writeFixture(folder);
  const job = (id: string, flags: Record<string, unknown> = {}): BacktestJob => ({
    ...{ id, folder, codeVersion: '0.1.0', commit: null },
    config: loadConfig(backtestConfigSchema, { file, flags }),
  });
  const facts = ({ summary }: BacktestResult): unknown => {
    const { id: _id, wallSeconds: _wall, barsPerSecond: _bars, eventsPerSecond: _events, ...same } = summary;
    return same;
  };

  it('[US3-1] gives the same results with one worker and with four, and twice', async () => {
    const fees = [0, 2, 5, 10];
    const jobs = fees.map((bps) => job(`fee-${bps}`, { 'venue.fees.takerBps': bps }));
    const one = new BacktestService({ worker: WORKER, atOnce: 1 });
    const alone: BacktestResult[] = [];
    for (const each of jobs) alone.push(await one.run(each, { ...RESOURCES, withFiles: false }));
    const four = new BacktestService({ worker: WORKER, atOnce: 4 });
    const together = await Promise.all(jobs.map((each) => four.run(each, { ...RESOURCES, withFiles: false })));
    expect(together.map(facts)).toEqual(alone.map(facts));
    const hashes = alone.map(({ summary }) => summary.eventHash);
    expect(new Set(hashes).size).toBe(fees.length);
    // What differs is the fee alone: the same trades, less money with each.
    const equities = alone.map(({ summary }) => Number(summary.finalEquity));
    expect([...equities].sort((a, b) => b - a)).toEqual(equities);
    expect(alone.every(({ summary }) => summary.balanced && summary.fills > 10)).toBe(true);
  }, 120_000);

  it('lets no more run at a time than it may; one that is stopped while it waits never begins', async () => {
    const service = new BacktestService({ worker: WORKER, atOnce: 1 });
    const phases: RunningBacktest['phase'][] = [];
    const stop = new AbortController();
    const first = service.run(job('first'), { ...RESOURCES, withFiles: false });
    const second = service.run(job('second'), {
      ...RESOURCES,
      signal: stop.signal,
      onProgress: ({ phase }) => phases.push(phase),
    });
    const third = service.run(job('third'), { ...RESOURCES, withFiles: false });
    stop.abort();
    await expect(second).rejects.toThrow(/abort/i);
    expect(phases).toEqual(['waiting']);
    const [one, three] = await Promise.all([first, third]);
    expect(three.summary.eventHash).toBe(one.summary.eventHash);
  }, 120_000);

  it('[US3-4] keeps every emitted event on file, each after its cause, and says when the disk has no room for them', async () => {
    const service = new BacktestService({ worker: WORKER });
    const path = join(folder, 'events.jsonl');
    const { spool, summary, run } = await service.run(job('spool'), {
      ...RESOURCES,
      spool: { path, what: 'emitted' },
    });
    const rows = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { seq: number; event: { id: string; type: string; causationId: string | null } },
      );
    expect(spool).toEqual({ path, events: rows.length, failure: null });
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_row, index) => index + 1));
    const emitted = Object.entries(run.eventsByType).reduce(
      (sum, [type, n]) => sum + (type.startsWith('bar.') ? 0 : n),
      0,
    );
    expect(rows.filter(({ event }) => !event.type.startsWith('bar.'))).toHaveLength(emitted);
    const seen = new Set<string>();
    const dangling: string[] = [];
    for (const { event } of rows) {
      if (event.causationId !== null && !seen.has(event.causationId)) dangling.push(event.type);
      seen.add(event.id);
    }
    expect(dangling).toEqual([]);
    const full = await service.run(job('full'), { ...RESOURCES, spool: { path: '/dev/full', what: 'all' } });
    expect(full.spool?.failure).toMatch(/ENOSPC/);
    expect(full.summary.eventHash).toBe(summary.eventHash);
  }, 120_000);
});
