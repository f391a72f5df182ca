import { tickRow } from '../../../kernel/src/contracts/event-store.contract';
import { startTestServer } from '../testing/postgres';
import type { TestServer } from '../testing/postgres';
import { OperatorInbox } from './operator-inbox';
import { RunRegistry } from './runs';

let test: TestServer;
let registry: RunRegistry;

beforeAll(async () => {
  test = await startTestServer();
}, 60_000);
beforeEach(async () => {
  registry = await RunRegistry.open(test.access);
});
afterEach(() => registry.close());
afterAll(() => test.stop());

const FINGERPRINT = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';

describe('runs', () => {
  it('keep live and synthetic apart, each resumed at every start', async () => {
    const first = await registry.openRun({ mode: 'synthetic', details: { seed: 7 } });
    expect(first).toMatchObject({
      resumed: false,
      run: { runId: 'synthetic', database: 'moon_synthetic', status: 'open' },
    });
    const store = registry.openStore(first.run);
    await store.appendBatch([tickRow(1)]);
    await store.close();

    const live = await registry.openRun({ mode: 'live' });
    const liveStore = registry.openStore(live.run);
    expect(await liveStore.lastSeq()).toBe(0);
    await liveStore.close();

    const second = await registry.openRun({ mode: 'synthetic' });
    expect(second).toMatchObject({ resumed: true, run: { runId: 'synthetic', details: { seed: 7 } } });
    const again = registry.openStore(second.run);
    expect(await again.lastSeq()).toBe(1);
    await again.close();
  });

  it('resume a recorded run that was cut off and start a finished one afresh', async () => {
    const first = await registry.openRun({ mode: 'recorded', fingerprint: FINGERPRINT });
    expect(first).toMatchObject({ resumed: false, run: { runId: 'recorded-a1b2c3d4e5f60718-1' } });
    const cutOff = await registry.openRun({ mode: 'recorded', fingerprint: FINGERPRINT });
    expect(cutOff).toMatchObject({ resumed: true, run: { runId: 'recorded-a1b2c3d4e5f60718-1' } });

    await registry.finishRun(first.run.runId, { stateHash: 'x' });
    await registry.finishRun(first.run.runId, { stateHash: 'y' });
    const fresh = await registry.openRun({ mode: 'recorded', fingerprint: FINGERPRINT });
    expect(fresh).toMatchObject({ resumed: false, run: { database: 'moon_recorded_a1b2c3d4e5f60718_2' } });

    const other = await registry.openRun({ mode: 'recorded', fingerprint: 'ffffffff' });
    expect(other.run.runId).toBe('recorded-ffffffff-1');
    const finished = await registry.findRun(first.run.runId);
    expect(finished).toMatchObject({ status: 'finished', result: { stateHash: 'x' }, fingerprint: FINGERPRINT });
    expect(finished!.finishedAt).toBeGreaterThanOrEqual(finished!.openedAt);
    const ids = (await registry.listRuns()).map(({ runId }) => runId);
    expect(ids.slice(0, 3)).toEqual([
      'recorded-ffffffff-1',
      'recorded-a1b2c3d4e5f60718-2',
      'recorded-a1b2c3d4e5f60718-1',
    ]);
  });

  it('refuse a recorded run without a usable fingerprint', async () => {
    await expect(registry.openRun({ mode: 'recorded' })).rejects.toThrow(/fingerprint/);
    await expect(registry.openRun({ mode: 'recorded', fingerprint: "'; DROP" })).rejects.toThrow(/fingerprint/);
  });

  it('keep imported logs apart by name, out of the way of other runs', async () => {
    const first = await registry.openRun({ mode: 'imported' });
    expect(first).toMatchObject({
      resumed: false,
      run: { runId: 'imported', mode: 'imported', database: 'moon_imported' },
    });
    expect(await registry.openRun({ mode: 'imported' })).toMatchObject({ resumed: true, run: { runId: 'imported' } });
    const other = await registry.openRun({ mode: 'imported', name: 'runs' });
    expect(other.run.database).toBe('moon_imported_runs');
    for (const name of ['live', 'synthetic', 'recorded', 'recorded-1', '', 'A', 'x y', '1x', 'x_y']) {
      await expect(registry.openRun({ mode: 'imported', name })).rejects.toThrow(/cannot be called/);
    }
  });

  it('are listed with the one first that was opened last', async () => {
    await registry.openRun({ mode: 'live' });
    await registry.openRun({ mode: 'synthetic' });
    await registry.openRun({ mode: 'live' });
    const [first, second] = await registry.listRuns();
    expect([first?.runId, second?.runId]).toEqual(['live', 'synthetic']);
    expect(first!.usedAt).toBeGreaterThanOrEqual(first!.openedAt);
  });

  it('take requests of operators from other processes, each once', async () => {
    const { run } = await registry.openRun({ mode: 'live' });
    const inbox = new OperatorInbox(test.access.app, run.database);
    try {
      const id = await inbox.submit({ command: 'halt', arguments: { zulu: 1, a: 'x' }, requestedBy: 'operator' });
      const [request, ...others] = await inbox.pending();
      expect(others).toEqual([]);
      expect(request).toMatchObject({ id, command: 'halt', arguments: { zulu: 1, a: 'x' }, requestedBy: 'operator' });
      expect(Object.keys(request!.arguments)).toEqual(['zulu', 'a']);
      expect(Math.abs(request!.requestedAt - Date.now())).toBeLessThan(60_000);
      expect(await inbox.eventOf(id)).toBeNull();
      const event = tickRow(1).event.id;
      await inbox.taken(id, event);
      await inbox.taken(id, tickRow(2).event.id);
      expect(await inbox.eventOf(id)).toBe(event);
      expect(await inbox.pending()).toEqual([]);
    } finally {
      await inbox.close();
    }
  });
});
