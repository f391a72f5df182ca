import { createHash } from 'node:crypto';
import {
  buildReport,
  equityCsv,
  fillsCsv,
  readPageAssets,
  renderReportHtml,
  tradesCsv,
  type BacktestReport,
  type ReportInput,
} from '../report';

/** The files of a report, as they are written and stored. */
export interface BacktestFiles {
  reportJson: string;
  reportHtml: string;
  tradesCsv: string;
  fillsCsv: string;
  equityCsv: string;
}

/** Under which name each of them is written. */
export const FILE_NAMES: Readonly<Record<keyof BacktestFiles, string>> = {
  reportJson: 'report.json',
  reportHtml: 'report.html',
  tradesCsv: 'trades.csv',
  fillsCsv: 'fills.csv',
  equityCsv: 'equity.csv',
};

/** @throws Error when the page of the report was not compiled */
export function makeFiles(report: BacktestReport): BacktestFiles {
  return {
    reportJson: `${JSON.stringify(report)}\n`,
    reportHtml: renderReportHtml(report, readPageAssets()),
    tradesCsv: tradesCsv(report),
    fillsCsv: fillsCsv(report),
    equityCsv: equityCsv(report),
  };
}

/** The report of a run that was recorded. */
export function reportOf(input: ReportInput): BacktestReport {
  return buildReport(input);
}

/** SHA-256 of a file's text, hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
