import Ajv from 'ajv';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { oneDay, syntheticReportInput } from '../testing/synthetic-report';
import { buildReport, type BacktestReport } from './build-report';
import { equityCsv, fillsCsv, tradesCsv } from './csv';
import { embed } from './embed';
import { show } from './figures';
import { renderReportHtml } from './html/page';
import type { PageAssets } from './page-assets';
import { Unpacked, running } from './page/unpack';
import type { ReportInput } from './report-input';
import { backtestReportSchema } from './report-schema';

const SCHEMA = join(__dirname, '../../../../docs/backtest-report.schema.json');
const assets: PageAssets = { style: 'body{}', script: 'void 0;', licence: 'MIT' };
const reportOf = (change: (input: ReportInput) => void = () => undefined): BacktestReport => {
  const input = syntheticReportInput(120);
  change(input);
  return buildReport(input);
};
const rowsOf = (csv: string): string[][] =>
  csv
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));

describe('the report as JSON', () => {
  it('[US3-6] is what the published schema says, and nothing beside it', () => {
    const published: unknown = JSON.parse(readFileSync(SCHEMA, 'utf8'));
    const validate = new Ajv({ strict: false, allErrors: true }).compile(published as object);
    const report: unknown = JSON.parse(JSON.stringify(reportOf()));

    expect(validate(report) ? [] : validate.errors).toEqual([]);
    expect(validate({ ...(report as object), surprise: 1 })).toBe(false);
    const { run } = report as BacktestReport;
    expect(validate({ ...(report as object), run: { ...run, eventHash: 'not a hash' } })).toBe(false);
  });

  it('has its schema written down: node scripts/report-schema.mjs writes it afresh', () => {
    expect(JSON.parse(readFileSync(SCHEMA, 'utf8'))).toEqual(backtestReportSchema());
  });

  it('[US3-5] carries the metrics of each recording, made with the benchmark of the run', () => {
    const { portfolios, benchmark } = reportOf();
    const { metrics, recording } = portfolios[0]!;

    expect(metrics.finalEquity).toBe(recording.finalEquity);
    expect(metrics.trades).toBe(recording.trades.length);
    expect(metrics.benchmark?.instrument).toBe(benchmark?.instrument);
    expect(reportOf((input) => (input.benchmark = null)).portfolios[0]?.metrics.benchmark).toBeNull();
  });

  it('is the same for the same input, and leaves the input as it was', () => {
    const input = syntheticReportInput(50);
    const before = JSON.stringify(input);
    const [once, again] = [JSON.stringify(buildReport(input)), JSON.stringify(buildReport(input))];

    expect(once).toBe(again);
    expect(JSON.stringify(input)).toBe(before);
  });
});

describe('what the page carries', () => {
  it('gives ids, times and shares back as they were', () => {
    const report = reportOf((input) => {
      input.portfolios[0]!.trades[1]!.id = 'no-uuid';
      input.portfolios[0]!.trades[2]!.entry.decisionId = null;
    });
    const { trades, fills } = report.portfolios[0]!.recording;
    const embedded = embed(report);
    const [columns] = embedded.portfolios;
    const page = new Unpacked(embedded);

    expect(columns?.trades.id.map((place) => page.id(place))).toEqual(trades.map(({ id }) => id));
    expect(columns?.fills.order.map((place) => page.id(place))).toEqual(fills.map(({ orderId }) => orderId));
    expect(running(columns?.trades.openedAt ?? [])).toEqual(trades.map(({ openedAt }) => openedAt));
    expect(columns?.trades.entry.decision.map((place) => page.id(place))).toEqual(
      trades.map(({ entry }) => entry.decisionId),
    );
    for (const { id } of trades) expect(page.id(page.place(id))).toBe(id);
    expect(page.place('00000000-0000-4000-8000-000000000000')).toBe(-1);
    const shares = page.agents(columns!.trades.entry, 3);
    expect(shares.map(({ agent }) => agent)).toEqual(trades[3]?.entry.agents.map(({ agent }) => agent));
    expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 2);
  });
});

describe('the report as HTML', () => {
  const hostile = '</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> \u2028 "\' &';

  it('[US3-6] holds every text of a run as text, whatever is in it', () => {
    const report = reportOf(({ run, portfolios, decisions, dataQuality }) => {
      run.name = hostile;
      run.configuration = { note: hostile };
      run.status = 'partial';
      run.statusReason = hostile;
      portfolios[0]!.trades[0]!.instrument = hostile;
      portfolios[0]!.trades[0]!.id = hostile;
      decisions.kept[0]!.reason = hostile;
      dataQuality.rules.push(hostile);
    });
    const page = renderReportHtml(report, assets);
    const scripts = [...page.matchAll(/<script[^>]*>/g)].map(([tag]) => tag);

    expect(scripts).toEqual(['<script type="application/json" id="report-data">', '<script>']);
    expect(page.match(/<img|<!--/g)).toBeNull();
    const json = /id="report-data">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? '';
    expect(json.includes('\u2028')).toBe(false);
    expect((JSON.parse(json) as { names: string[] }).names).toContain(hostile);
  });

  it('names nothing outside itself', () => {
    const page = renderReportHtml(reportOf(), assets);

    expect(page.match(/(src|href)="(https?:)?\/\/[^"]*/g)).toBeNull();
    expect(page.includes('content="default-src &#39;none&#39;;')).toBe(true);
  });

  it('[US3-6] marks a partial result at the top, in its title and in its facts', () => {
    const page = renderReportHtml(
      reportOf(({ run }) => Object.assign(run, { status: 'partial', statusReason: 'Stopped by Ctrl-C at bar 1,000.' })),
      assets,
    );

    expect(page.includes('<title>PARTIAL: ')).toBe(true);
    expect(page.includes('Partial result: this run did not reach the end of its range.')).toBe(true);
    expect(page.match(/Stopped by Ctrl-C at bar 1,000\./g)).toHaveLength(2);
    expect(renderReportHtml(reportOf(), assets).match(/PARTIAL/g)).toBeNull();
  });

  it('[US3-5] shows an undefined figure as a dash with its reason', () => {
    const { metrics } = reportOf(({ portfolios }) => {
      portfolios[0]!.trades = [];
      portfolios[0]!.fills = [];
    }).portfolios[0]!;
    const winRate = { key: 'winRate', label: 'Win rate', form: 'share', meaning: '' } as const;

    expect(metrics.winRate).toBeNull();
    expect(show(metrics, winRate)).toMatchObject({ text: '—', reason: metrics.undefinedBecause.winRate });
  });

  it('[US3-6] says of a run of one day what it is too short for, and of ticks only where there are some', () => {
    const page = renderReportHtml(reportOf(oneDay), assets);
    const year = renderReportHtml(reportOf(), assets);

    expect(page).toContain('in 1 day with ');
    expect(page).not.toMatch(/\b1 (days|weeks|trades)\b/);
    expect(page).toContain('each point takes the last 30 daily returns, and this run has 1 day.');
    expect(page).toMatch(/only 1 day stands\s+behind them/);
    expect(page).not.toMatch(/data-chart="(rolling-sharpe|exposure)"/);
    expect(year).not.toContain('behind them');
    expect(year).toContain('data-chart="rolling-sharpe"');
    expect(year).toMatch(/525,471 bars\s+·/);
    expect(
      renderReportHtml(
        reportOf(({ run }) => (run.ticks = 1)),
        assets,
      ),
    ).toMatch(/525,471 bars, 1 tick\s+·/);
  });

  it('gives every term a definition', () => {
    const page = renderReportHtml(reportOf(), assets);
    const asked = new Set([...page.matchAll(/aria-describedby="(def-\w+)"/g)].map(([, id]) => id));
    const given = new Set([...page.matchAll(/id="(def-\w+)"/g)].map(([, id]) => id));

    expect(asked.size).toBeGreaterThan(50);
    expect([...asked].filter((id) => !given.has(id))).toEqual([]);
  });
});

describe('the figures', () => {
  it('[US3-5] are those of docs/metrics.md, by its names', () => {
    const text = readFileSync(join(__dirname, '../../../../docs/metrics.md'), 'utf8');
    const page = renderReportHtml(reportOf(), assets);
    const shown = [...page.matchAll(/id="def-(\w+)"/g)].map(([, key]) => key);

    expect(shown.length).toBeGreaterThan(60);
    expect(shown.filter((key) => !new RegExp(`\`(benchmark\\.)?${key}\``).test(text))).toEqual([]);
  });
});

describe('the report as CSV', () => {
  it('[US3-6] has the trades with exact amounts that add up, and the ids of their chain', () => {
    const report = reportOf();
    const [header = [], ...rows] = rowsOf(tradesCsv(report));
    const { trades } = report.portfolios[0]!.recording;

    expect(rows).toHaveLength(trades.length);
    expect(rows.map((row) => row[header.indexOf('net_pnl')])).toEqual(trades.map(({ netPnl }) => netPnl));
    expect(rows[5]?.[header.indexOf('entry_decision_id')]).toBe(trades[5]?.entry.decisionId);
    expect(rows[0]?.[header.indexOf('opened_at')]).toBe('2022-01-01T12:00:00.000Z');
  });

  it('[US3-6] has the equity of every day, and the fills', () => {
    const report = reportOf();
    const { days, fills } = report.portfolios[0]!.recording;
    const [header = [], ...rows] = rowsOf(equityCsv(report));

    expect(rows.map((row) => row[header.indexOf('equity')])).toEqual(days.map(({ equity }) => equity));
    expect(rows.every((row) => row.length === header.length)).toBe(true);
    expect(rowsOf(fillsCsv(report))).toHaveLength(fills.length + 1);
  });

  it('quotes what has to be quoted, and gives a spreadsheet no formula', () => {
    const csv = tradesCsv(
      reportOf(({ portfolios }) => {
        portfolios[0]!.trades[0]!.instrument = '=HYPERLINK("x"),y';
      }),
    );

    expect(csv).toContain(`"'=HYPERLINK(""x""),y"`);
    expect(csv).toMatch(/,-\d+\.\d\d,/);
  });
});
