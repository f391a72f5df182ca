export { buildReport, REPORT_VERSION, type BacktestReport, type PortfolioReport } from './build-report';
export { equityCsv, fillsCsv, tradesCsv } from './csv';
export { renderReportHtml } from './html/page';
export { readPageAssets, type PageAssets } from './page-assets';
export type * from './report-input';
