import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256, type BacktestReport, type BacktestSummary } from '@moon/backtesting';
import type { AnyEvent } from '@moon/events';
import { CommandLine, until } from '../../testing/command-line';
import { FakePlatform } from '../../testing/platform';
import { candleRows, START, writeFixture, type BacktestFixture } from './testing';

type Line = BacktestSummary & {
  out: string | null;
  reportId: string | null;
  archivedRun: string | null;
  problems: string[];
};

const MINUTE = 60_000;
const SLOW = 120_000;

describe('moon backtest', () => {
  let line: CommandLine;
  let fixture: BacktestFixture;

  beforeEach(() => {
    line = new CommandLine();
    fixture = writeFixture(line.folder);
  });
  afterEach(() => line.remove());

  const run = (...argv: string[]): Promise<Line> => line.json<Line>('backtest', '--config', fixture.config, ...argv);
  const path = (name: string): string => join(line.folder, name);

  it(
    '[US3-1] [US3-6] takes a range, a strategy and a balance, and gives a report whose figures are those that it prints',
    async () => {
      const summary = await run(
        '--start',
        '2024-03-01T01:00:00Z',
        '--end',
        '2024-03-01T11:00:00Z',
        '--no-save',
        '--out',
        path('report'),
      );
      expect(summary).toMatchObject({
        ...{ status: 'complete', name: 'Crossing', bars: 600, startEquity: '1000000', settlementAsset: 'USDT' },
        ...{ balanced: true, reportId: null, archivedRun: null, problems: [], venueDifferences: [], failures: {} },
      });
      expect(summary.fills).toBeGreaterThan(10);
      expect(readdirSync(path('report')).sort()).toEqual([
        'equity.csv',
        'fills.csv',
        'report.html',
        'report.json',
        'trades.csv',
      ]);
      // No store was needed: there is none.
      expect(existsSync(join(line.dataDir, 'postgres'))).toBe(false);

      const report = JSON.parse(readFileSync(path('report/report.json'), 'utf8')) as BacktestReport;
      const [{ recording, metrics }] = report.portfolios as [BacktestReport['portfolios'][number]];
      expect(recording).toMatchObject({ startEquity: '1000000', finalEquity: summary.finalEquity });
      expect([recording.fills.length, recording.trades.length]).toEqual([summary.fills, summary.closedTrades]);
      expect([metrics.sharpe, metrics.maxDrawdown, metrics.winRate]).toEqual([
        summary.sharpe,
        summary.maxDrawdown,
        summary.winRate,
      ]);
      expect(report.run).toMatchObject({ eventHash: summary.eventHash, status: 'complete' });
      expect(report.run.data.firstAt).toBe(START + 60 * MINUTE);
      expect(readFileSync(path('report/trades.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(
        summary.closedTrades + 1,
      );
      expect(readFileSync(path('report/report.html'), 'utf8')).toContain(summary.id);
    },
    SLOW,
  );

  it(
    '[US3-4] [US3-6] saves the report for good, and every trade in it leads to the events that made it',
    async () => {
      const first = await run();
      expect(first).toMatchObject({ problems: [], reportId: first.id, archivedRun: `backtest-${first.id}` });

      const [completed] = await eventsOf('backtests');
      expect(completed).toMatchObject({
        type: 'backtest.completed',
        data: {
          reportId: first.id,
          eventHash: first.eventHash,
          dataFingerprint: first.dataFingerprint,
          status: 'complete',
        },
      });
      const files = ['report.json', 'report.html'].map((name) => readFileSync(join(first.out!, name), 'utf8'));
      const { reportJsonSha256, reportHtmlSha256 } = completed!.data as {
        reportJsonSha256: string;
        reportHtmlSha256: string;
      };
      expect(files.map(sha256)).toEqual([reportJsonSha256, reportHtmlSha256]);

      const log = await eventsOf(first.archivedRun!);
      const byId = new Map(log.map((event) => [event.id, event]));
      const emitted = Object.entries((JSON.parse(files[0]!) as BacktestReport).run.eventsByType).filter(
        ([type]) => !type.startsWith('bar.'),
      );
      for (const [type, count] of emitted)
        expect([type, log.filter((event) => event.type === type).length]).toEqual([type, count]);
      const { trades } = (JSON.parse(files[0]!) as BacktestReport).portfolios[0]!.recording;
      expect(trades.length).toBe(first.closedTrades);
      for (const trade of trades) {
        expect(byId.get(trade.id)?.type).toBe('position.closed');
        for (const { eventId, decisionId, orderId, agents } of [trade.entry, trade.exit]) {
          expect(agents).toEqual([{ agent: 'crossing', share: 1 }]);
          expect(chainOf(byId, eventId)).toEqual([
            ...['trade.executed', 'venue.report', 'order.submitted', 'order.approved'],
            ...['trade.consensus_approved', 'signal.generated', 'bar.closed'],
          ]);
          expect(byId.get(decisionId!)?.type).toBe('trade.consensus_approved');
          expect((byId.get(eventId)?.data as { order_id: string }).order_id).toBe(orderId);
        }
      }

      const { out } = await line.moon('reports', 'list');
      expect(out.join('\n')).toContain(first.id);
      expect((await line.moon('reports', 'show', first.id.slice(0, 12))).out.join('\n')).toContain(
        'books balance to the last digit',
      );
      await line.moon('reports', 'export', first.id, '--out', path('again'));
      expect(['report.json', 'report.html'].map((name) => readFileSync(path(`again/${name}`), 'utf8'))).toEqual(files);
      expect((await line.moon('trace', trades[0]!.id, '--run', first.archivedRun!)).out.join('\n')).toMatch(
        /bar\.closed[\s\S]*position\.closed/,
      );
    },
    SLOW,
  );

  /** Types from an event to its first cause. */
  function chainOf(byId: ReadonlyMap<string, AnyEvent>, id: string): string[] {
    const event = byId.get(id);
    if (!event) throw new Error(`Event ${id} is not in the log.`);
    return event.causationId === null ? [event.type] : [event.type, ...chainOf(byId, event.causationId)];
  }

  async function eventsOf(name: string): Promise<AnyEvent[]> {
    const { out } = await line.moon('events', '--run', name, '--limit', '100000', '--from', '0', '--json');
    return out.map((text) => JSON.parse(text) as AnyEvent);
  }

  it(
    '[US3-1] replays what was imported into the store to the same trades as the files, beside a platform that is at work',
    async () => {
      const files = await run('--no-save');
      await line.moon('import', fixture.candles);
      const platform = await FakePlatform.start(line.dataDir);
      try {
        const stored = await run('--run', 'imported', '--archive', 'all');
        expect(stored).toMatchObject({ problems: [], bars: files.bars, fillsSha256: files.fillsSha256 });
        expect([stored.finalEquity, stored.stateHash]).toEqual([files.finalEquity, files.stateHash]);
        const { out } = await line.moon(
          'events',
          '--run',
          stored.archivedRun!,
          '--type',
          'bar.closed',
          '--limit',
          '100000',
          '--from',
          '0',
          '--json',
        );
        expect(out).toHaveLength(files.bars);
        const beside = await run();
        expect(beside).toMatchObject({ problems: [], eventHash: files.eventHash });
      } finally {
        await platform.stop();
      }
      expect((await line.moon('reports', 'list', '--json')).out.join('')).toContain('"reportId"');
    },
    SLOW,
  );

  it(
    '[US3-1] Ctrl-C ends it cleanly: what there is is saved and marked as partial',
    async () => {
      fixture = writeFixture(line.folder, 60_000);
      const { said, ended, interrupt } = line.start([
        'backtest',
        '--config',
        fixture.config,
        '--no-save',
        '--out',
        path('part'),
        '--json',
      ]);
      await until(() => existsSync(path('part')), SLOW);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      interrupt();
      const { code } = await ended;
      expect(code).toBe(130);
      const summary = JSON.parse(said.out[0]!) as Line;
      expect(summary).toMatchObject({
        status: 'partial',
        statusReason: expect.stringMatching(/stopped before the end/) as unknown,
        eventHash: null,
      });
      const report = JSON.parse(readFileSync(path('part/report.json'), 'utf8')) as BacktestReport;
      expect(report.run.status).toBe('partial');
      expect(report.run.bars).toBeLessThan(60_000);
    },
    SLOW,
  );

  describe('given what cannot be run', () => {
    const refused: [string, string[], RegExp][] = [
      ['a range without data', ['--start', '2025-01-01'], /has no data: they run from 2024-03-01T00:00:00Z to/],
      ['an inverted range', ['--start', '2024-03-02', '--end', '2024-03-01'], /ends .* before it begins/],
      ['an instant that is none', ['--start', 'yesterday'], /range\.start "yesterday" is no instant/],
      ['an unknown agent', ['--set', 'agents=["trading","chrat"]'], /no agent "chrat"\. Did you mean "chart"\?/],
      [
        'an unknown instrument',
        ['--set', 'instruments=["BTCUSDR.BINANCE-SPOT"]'],
        /no instrument "BTCUSDR\.BINANCE-SPOT"\. Did you mean "BTCUSDT\.BINANCE-SPOT"\?/,
      ],
      [
        'an instrument without prices',
        ['--set', 'instruments=["SOLUSDT.BINANCE-SPOT"]'],
        /no prices for SOLUSDT\.BINANCE-SPOT/,
      ],
      ['a balance of 0', ['--set', 'initialBalance=0'], /starts with a balance of 0/],
      [
        'a misspelt key',
        ['--set', 'venue.fees.takerBsp=5'],
        /"venue\.fees\.takerBsp" .* Did you mean "venue\.fees\.takerBps"\?/,
      ],
      ['a value of the wrong kind', ['--set', 'leverage=much'], /"leverage" is "much"/],
      ['a file that is not there', ['--from', 'nowhere.csv'], /nowhere\.csv is not there/],
      ['a strategy that is not there', ['--set', 'strategies=[{"path":"none.cjs"}]'], /none\.cjs/],
      [
        'files and a run at once',
        ['--run', 'imported', '--from', 'candles.csv'],
        /either from files or from run "imported"/,
      ],
    ];

    it.each(refused)(
      '[US3-1] says of %s in one line what is wrong, and leaves nothing',
      async (_what, argv, message) => {
        const { code, out, err: told } = await line.moon('backtest', '--config', fixture.config, ...argv);
        // A slow machine hears of progress, too.
        const err = told.filter((text) => !text.startsWith('opening, '));
        expect({ code, out, lines: err.length }).toEqual({ code: 2, out: [], lines: 1 });
        expect(err[0]).toMatch(message);
        expect(err[0]!.split('\n')).toHaveLength(1);
        const left = existsSync(join(line.dataDir, 'reports')) ? readdirSync(join(line.dataDir, 'reports')) : [];
        expect(left).toEqual([]);
      },
      SLOW,
    );

    it('says of a configuration that is no JSON, or is not there, what is wrong', async () => {
      writeFileSync(path('broken.json'), '{ "name": "x", ');
      for (const [name, why] of [
        ['broken.json', /broken\.json cannot be read/],
        ['missing.json', /missing\.json is not there/],
      ] as const) {
        const { code, err } = await line.moon('backtest', '--config', name, '--from', fixture.candles);
        expect(code).toBe(2);
        expect(err[0]).toMatch(why);
      }
    });

    it(
      'names the line of a row that cannot be used, counts it, and goes on',
      async () => {
        const rows = candleRows(900);
        rows[100] = rows[100]!.replace(/^(\d+,BTCUSDT),[^,]+/, '$1,NaN');
        writeFileSync(fixture.candles, `${rows.join('\n')}\n`);
        const { code, out, err } = await line.moon('backtest', '--config', fixture.config, '--no-save', '--json');
        expect(code).toBe(0);
        expect(err.join('\n')).toMatch(/candles\.csv:101 bad_number/);
        expect(JSON.parse(out[0]!)).toMatchObject({ bars: 899, rowsRefused: { bad_number: 1 } });
      },
      SLOW,
    );

    it(
      'says at once when the report cannot be written, before it runs',
      async () => {
        writeFileSync(path('file'), '');
        const { code, err } = await line.moon(
          'backtest',
          '--config',
          fixture.config,
          '--no-save',
          '--out',
          path('file/report'),
        );
        expect(code).toBe(1);
        expect(err.join('\n')).toMatch(/cannot be written to .*file\/report: a part of the path is no folder/);
      },
      SLOW,
    );

    it(
      'says so, too, where no folder can be made at all',
      async () => {
        const argv = ['backtest', '--config', fixture.config, '--no-save', '--out', '/proc/moon/report'];
        const { code, err } = await line.moon(...argv);
        expect(code).toBe(1);
        expect(err.join('\n')).toMatch(/cannot be written to \/proc\/moon\/report: nothing can be made there/);
      },
      SLOW,
    );

    it(
      'given the disk fills up while the report is written, says so and leaves nothing half-written',
      async () => {
        mkdirSync(path('full'));
        // A device that is always full stands where the page is written first.
        symlinkSync('/dev/full', path(`full/.report.html.${process.pid}.draft`));
        const { code, out, err } = await line.moon(
          'backtest',
          '--config',
          fixture.config,
          '--no-save',
          '--out',
          path('full'),
          '--json',
        );
        expect(code).toBe(1);
        expect(err.join('\n')).toMatch(/could not be written to .*full: the disk is full/);
        expect(JSON.parse(out[0]!)).toMatchObject({
          status: 'complete',
          out: null,
          problems: [expect.stringMatching(/disk is full/)],
        });
        expect(readdirSync(path('full'))).toEqual([]);
      },
      SLOW,
    );

    it(
      'given a strategy that fails on the way, marks the result as partial and ends with 1',
      async () => {
        const strategies = [{ path: 'crossing.cjs', config: { throwsAt: START + 500 * MINUTE } }];
        fixture = writeFixture(line.folder, 900, { strategies });
        const { code, out, err } = await line.moon('backtest', '--config', fixture.config, '--no-save', '--json');
        expect(code).toBe(1);
        expect(err.join('\n')).toMatch(
          /Strategy crossing failed at 401 events, first at 2024-03-01T08:20:00\.000Z: The rule has a bug \(crossing\.cjs:\d+\)\./,
        );
        expect(JSON.parse(out[0]!)).toMatchObject({ status: 'partial', bars: 900, balanced: true });
      },
      SLOW,
    );

    it(
      'given a strategy that never returns, ends it and names it',
      async () => {
        const strategies = [{ path: 'crossing.cjs', config: { hangsAt: START + 500 * MINUTE } }];
        fixture = writeFixture(line.folder, 900, { strategies, watchdogMs: 1_500 });
        const { code, out, err } = await line.moon('backtest', '--config', fixture.config);
        expect({ code, out }).toEqual({ code: 1, out: [] });
        expect(err.join('\n')).toMatch(
          /strategy \(crossing\.cjs\) did not come back from the event of 2024-03-01T08:20:00\.000Z/,
        );
      },
      SLOW,
    );
  });
});
