import type { EmbeddedReport } from '../embedded';
import { TradesOnCandles } from './candles';
import { drawForPrint, redrawAll } from './chart';
import { drawPortfolio } from './charts';
import { drawDecisions } from './decisions-chart';
import { all, button, h, one } from './dom';
import { markWhatScrolls, type PagedTable } from './table';
import { decisionsTable, fillsTable, tradesTable, type Links } from './tables';
import { enableTheme } from './theme';
import { enableTips } from './tips';
import { TradeList } from './trades';
import { Unpacked } from './unpack';

interface PortfolioView {
  trades: TradeList;
  tradesTable: PagedTable;
  fillsTable: PagedTable;
}

const embedded = JSON.parse(one('#report-data').textContent ?? '') as EmbeddedReport;
const report = new Unpacked(embedded);
const { decisions } = embedded;
const views: PortfolioView[] = [];
let decisionsView: PagedTable | null = null;

function selectPortfolio(index: number): void {
  for (const panel of all('[data-panel]')) panel.hidden = panel.dataset.panel !== String(index);
  for (const select of all('#portfolio')) (select as HTMLSelectElement).value = String(index);
}

/** What the report holds of an event: the portfolio and the row of it, by the event's place in the pool of ids. */
function find(kind: string, place: number): { portfolio: number; row: number } | null {
  if (place === -1) return null;
  if (kind === 'decision') {
    const row = decisions.id.indexOf(place);
    return row === -1 ? null : { portfolio: 0, row };
  }
  for (const [portfolio, { trades, fills }] of embedded.portfolios.entries()) {
    const column = kind === 'trade' ? trades.id : kind === 'fill' ? fills.id : fills.order;
    const row = column.indexOf(place);
    if (row !== -1) return { portfolio, row };
  }
  return null;
}

/** `#trade-ID`, `#fill-ID`, `#order-ID` (its first fill) and `#decision-ID` open the row, on whatever page it is. */
function follow(hash: string): void {
  const [, kind, id] = /^#(trade|fill|order|decision)-(.+)$/.exec(hash) ?? [];
  if (kind === undefined || id === undefined) return;
  const found = find(kind, report.place(decodeURIComponent(id)));
  if (found === null) return;
  if (kind === 'decision') return decisionsView?.reveal(found.row);
  selectPortfolio(found.portfolio);
  const view = views[found.portfolio];
  if (kind === 'trade') view?.tradesTable.reveal(found.row);
  else view?.fillsTable.reveal(found.row);
}

function linksOf(trades: TradeList, candles: TradesOnCandles): Links {
  return {
    report,
    to: (kind, id) => {
      if (id === null) return '—';
      if (find(kind, report.place(id)) === null) return id;
      const link = h('a', { href: `#${kind}-${id}`, title: id }, kind === 'fill' ? id.slice(0, 8) : id);
      link.addEventListener('click', () => location.hash === link.hash && follow(link.hash));
      return link;
    },
    onChart: (trade) => {
      const instrument = report.instrument(trades.columns.instrument[trade]!);
      if (!candles.has(instrument)) return undefined;
      return button('Show on the candles', {}, () =>
        candles.show(instrument, trades.openedAt[trade]!, trades.closedAt[trade]!),
      );
    },
  };
}

enableTheme(redrawAll, drawForPrint);
for (const [index, portfolio] of embedded.portfolios.entries()) {
  const trades = new TradeList(portfolio, report);
  drawPortfolio(index, portfolio);
  const links = linksOf(trades, new TradesOnCandles(embedded.candles, trades, index));
  views.push({ trades, tradesTable: tradesTable(index, trades, links), fillsTable: fillsTable(index, trades, links) });
  decisionsView ??= decisions.id.length > 0 ? decisionsTable(embedded, links) : null;
}
drawDecisions(decisions);
enableTips();
markWhatScrolls(all('.scroll'));
for (const select of all('#portfolio')) {
  select.addEventListener('change', () => selectPortfolio(Number((select as HTMLSelectElement).value)));
}
addEventListener('hashchange', () => follow(location.hash));
follow(location.hash);
document.documentElement.dataset.ready = 'true';
