import type { BacktestReport, PortfolioReport } from '../build-report';
import { embed } from '../embed';
import type { PageAssets } from '../page-assets';
import { dataQualityPart, runPart } from './evidence';
import { each, Html, html, jsonForScript, nothing } from './markup';
import { definitions, equityPart, figuresPart, returnsPart } from './performance';
import { header, headlines } from './summary';
import { decisionsPart, splitsPart, tradesPart } from './trading';

type Draw = (portfolio: PortfolioReport, index: number) => Html;

/**
 * The report as one HTML file that opens from disk and loads nothing: a policy in its head forbids every request. Pure:
 * the same report and assets give the same page.
 */
export function renderReportHtml(report: BacktestReport, assets: PageAssets): string {
  /** The same section for every portfolio, of which the first is shown. */
  const panels = (draw: Draw): Html =>
    each(
      report.portfolios,
      (portfolio, i) => html`<div data-panel="${i}" ${i === 0 ? nothing : html`hidden`}>${draw(portfolio, i)}</div>`,
    );
  const sections: [id: string, name: string, body: Html][] = [
    ['summary', 'Summary', panels(headlines)],
    ['equity', 'Equity', panels(({ metrics }, i) => equityPart(metrics, i))],
    ['returns', 'Returns', panels(({ metrics }, i) => returnsPart(metrics, i))],
    ['trades', 'Trades', panels((portfolio, i) => tradesPart(portfolio, report, i))],
    ['splits', 'Splits', panels(({ metrics }) => splitsPart(metrics))],
    ['decisions', 'Decisions', decisionsPart(report.decisions)],
    ['figures', 'All figures', panels(({ metrics }) => figuresPart(metrics))],
    ['data', 'Data quality', dataQualityPart(report.dataQuality)],
    ['run', 'Run', runPart(report)],
    ['definitions', 'Definitions', definitions()],
  ];
  const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
  const isPartial = report.run.status === 'partial';
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="Moon EDA ${report.run.codeVersion}" />
        <title>${isPartial ? 'PARTIAL: ' : ''}${report.run.name} · backtest report</title>
        <link rel="icon" href="data:," />
        <style>
          ${raw(assets.style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the report</a>
        ${header(report)}
        <nav aria-label="Sections">
          <ul>
            ${each(sections, ([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
          </ul>
        </nav>
        <main id="main">${each(sections, ([id, name, body]) => section(id, name, body))}</main>
        <footer>
          <p>
            Amounts are rounded for reading; the JSON report and the CSV files have the ledger’s exact decimals. All
            times are UTC. “—” stands for a figure that is not defined, with the reason beside it.
          </p>
          <details>
            <summary>Licence of the chart library (uPlot)</summary>
            <pre tabindex="0">${assets.licence}</pre>
          </details>
        </footer>
        <script type="application/json" id="report-data">
          ${jsonForScript(embed(report))}
        </script>
        <script>
          ${raw(assets.script)};
        </script>
      </body>
    </html> `.text;
}

const section = (id: string, name: string, body: Html): Html =>
  html`<section id="${id}" aria-labelledby="h-${id}">
    <h2 id="h-${id}">${name}</h2>
    ${body}
  </section>`;

/** Script and style of our own files. Neither may hold what would end its element. */
function raw(text: string): Html {
  if (/<\/(script|style)|<!--/i.test(text))
    throw new Error('A file of the report page contains "</script", "</style" or "<!--", which would end its element.');
  return new Html(text);
}
