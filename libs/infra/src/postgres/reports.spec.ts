import { startTestServer, type TestServer } from '../testing/postgres';
import { withClient } from './access';
import { ReportStore, type NewReport } from './reports';
import { REGISTRY_DATABASE, RunRegistry } from './runs';

const hash = (digit: string): string => digit.repeat(64);

const report = (reportId: string): NewReport => ({
  ...{ reportId, name: 'crossing', status: 'complete', codeVersion: '0.1.0', configurationHash: hash('a') },
  ...{ dataFingerprint: hash('b'), eventHash: hash('c'), archivedRun: null, summary: { fills: 3, sharpe: null } },
  ...{
    reportJson: '{"größe": 1.50}\n',
    reportHtml: '<p>é</p>',
    reportJsonSha256: hash('d'),
    reportHtmlSha256: hash('e'),
  },
});

describe('reports in the event store', () => {
  let test: TestServer;
  let registry: RunRegistry;
  let reports: ReportStore;

  beforeAll(async () => {
    test = await startTestServer();
    registry = await RunRegistry.open(test.access);
    reports = new ReportStore(test.access.app);
  }, 60_000);
  afterAll(async () => {
    await reports.close();
    await registry.close();
    await test.stop();
  });

  it('[US3-6] are kept byte for byte, found by the beginning of their id, the newest first', async () => {
    await reports.save(report('one-1'));
    await reports.save({ ...report('one-2'), status: 'partial', eventHash: null, archivedRun: 'backtest-one-2' });
    expect((await reports.list()).map(({ reportId }) => reportId)).toEqual(['one-2', 'one-1']);
    expect((await reports.find('one')).map(({ reportId }) => reportId)).toEqual(['one-1', 'one-2']);
    const { reportJson, reportHtml, ...facts } = report('one-1');
    expect(await reports.find('one-1')).toEqual([{ ...facts, createdAt: expect.any(Number) as number }]);
    expect(await reports.files('one-1')).toEqual({ reportJson, reportHtml });
    expect(await reports.files('two')).toBeNull();
    expect((await reports.find('one-2'))[0]).toMatchObject({
      status: 'partial',
      eventHash: null,
      archivedRun: 'backtest-one-2',
    });
  });

  it('[US3-6] are changed and taken away by nobody, not even the owner of the tables', async () => {
    await reports.save(report('fixed'));
    await expect(reports.save(report('fixed'))).rejects.toThrow(/duplicate key/);
    for (const login of [test.access.owner, test.access.app]) {
      const refused = login === test.access.owner ? /Reports are immutable/ : /permission denied/;
      for (const statement of [`UPDATE reports SET name = 'x'`, 'DELETE FROM reports', 'TRUNCATE reports']) {
        await expect(withClient(login, REGISTRY_DATABASE, (client) => client.query(statement))).rejects.toThrow(
          refused,
        );
      }
    }
    expect((await reports.find('fixed'))[0]?.name).toBe('crossing');
  });

  it('have a log of completed backtests, and one of each backtest, that no other run is called by', async () => {
    const { run, resumed } = await registry.openRun({ mode: 'backtest' });
    expect([run.runId, run.database, resumed]).toEqual(['backtests', 'moon_backtests', false]);
    expect((await registry.openRun({ mode: 'backtest' })).resumed).toBe(true);
    const archived = await registry.openRun({
      mode: 'backtest',
      name: `backtest-${'long-'.repeat(12)}20260101t000000-abcdef`,
    });
    expect(archived.run.database).toMatch(/^moon_backtest_.*20260101t000000_abcdef$/);
    expect(archived.run.database.length).toBeLessThanOrEqual(63);
    await expect(registry.openRun({ mode: 'imported', name: 'backtests' })).rejects.toThrow(
      /cannot be called "backtests"/,
    );
  });
});
