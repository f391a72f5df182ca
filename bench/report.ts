import { buildReport, readPageAssets, renderReportHtml, syntheticReportInput } from '@moon/backtesting';
import { median, type BenchFigure } from './figure';

/** Of the reference run of 2022. */
const FILLS = 12_328;
const REPEATS = 5;

/**
 * Metrics and HTML report of a year with 12,328 fills, 12,327 closed trades and 3,000 decisions in detail. Included: every
 * figure of docs/metrics.md, the whole page with its data. Not included: reading the chart library once, writing the file.
 * Baseline: `JSON.stringify` of the same report, metrics in it, in the same run.
 */
export async function run(): Promise<BenchFigure[]> {
  const input = syntheticReportInput(FILLS);
  const assets = readPageAssets();
  const times = { metrics: [] as number[], html: [] as number[], json: [] as number[] };
  let bytes = { html: 0, json: 0 };
  for (let i = 0; i <= REPEATS; i += 1) {
    const from = performance.now();
    const report = buildReport(input);
    const built = performance.now();
    const page = renderReportHtml(report, assets);
    const rendered = performance.now();
    const json = JSON.stringify(report);
    const written = performance.now();
    bytes = { html: Buffer.byteLength(page), json: Buffer.byteLength(json) };
    // The first round warms up.
    if (i === 0) continue;
    times.metrics.push(built - from);
    times.html.push(rendered - built);
    times.json.push(written - rendered);
  }
  const baseline = median(times.json);
  const figure = (metric: string, value: number): BenchFigure => ({
    bench: 'report',
    metric: `${metric}, ${FILLS} fills`,
    value,
    unit: 'ms',
    baseline,
    ratio: value / baseline,
  });
  const both = times.metrics.map((ms, i) => ms + times.html[i]!);
  return [
    figure('metrics', median(times.metrics)),
    figure('html', median(times.html)),
    figure('metrics and html', median(both)),
    {
      bench: 'report',
      metric: `size of the html, ${FILLS} fills (baseline: the json)`,
      value: bytes.html / 1e6,
      unit: 'MB',
      baseline: bytes.json / 1e6,
      ratio: bytes.html / bytes.json,
    },
  ];
}
