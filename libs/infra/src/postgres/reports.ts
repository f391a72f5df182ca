import type { JsonObject } from '@moon/events';
import type { Login } from './access';
import { TextPool, type TextRow } from './pool';
import { REGISTRY_DATABASE } from './runs';

/** A report as it is kept, without its files. */
export interface StoredReport {
  reportId: string;
  name: string;
  status: 'complete' | 'partial';
  /** Epoch ms. */
  createdAt: number;
  codeVersion: string;
  configurationHash: string;
  dataFingerprint: string;
  eventHash: string | null;
  /** The run that holds its events; null when they were not kept. */
  archivedRun: string | null;
  summary: JsonObject;
  reportJsonSha256: string;
  reportHtmlSha256: string;
}

export interface NewReport extends Omit<StoredReport, 'createdAt'> {
  reportJson: string;
  reportHtml: string;
}

const COLUMNS = `report_id, name, status, date_part('epoch', created_at) * 1000, code_version, configuration_hash,
  data_fingerprint, event_hash, archived_run, summary, report_json_sha256, report_html_sha256`;

/** Reports of backtests. They are appended and read; the database refuses every change. */
export class ReportStore {
  private readonly pool: TextPool;

  /** @param login the application's role; the registry's database must be at the newest schema (`RunRegistry.open`) */
  constructor(login: Login) {
    this.pool = new TextPool(login, REGISTRY_DATABASE, { connections: 1 });
  }

  async save(report: NewReport): Promise<void> {
    await this.pool.rows(
      'save_report',
      `INSERT INTO reports (report_id, name, status, code_version, configuration_hash, data_fingerprint, event_hash,
         archived_run, summary, report_json, report_html, report_json_sha256, report_html_sha256)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10, $11, $12, $13)`,
      [
        ...[report.reportId, report.name, report.status, report.codeVersion, report.configurationHash],
        ...[report.dataFingerprint, report.eventHash, report.archivedRun, JSON.stringify(report.summary)],
        ...[report.reportJson, report.reportHtml, report.reportJsonSha256, report.reportHtmlSha256],
      ],
    );
  }

  /** The newest first. */
  async list(): Promise<StoredReport[]> {
    const text = `SELECT ${COLUMNS} FROM reports ORDER BY created_at DESC, report_id DESC`;
    return (await this.pool.rows('list_reports', text, [])).map(fromRow);
  }

  /** Reports whose id is this or begins with it. */
  async find(beginning: string): Promise<StoredReport[]> {
    const text = `SELECT ${COLUMNS} FROM reports WHERE report_id = $1 OR starts_with(report_id, $1) ORDER BY report_id`;
    const found = (await this.pool.rows('find_reports', text, [beginning])).map(fromRow);
    const exact = found.find(({ reportId }) => reportId === beginning);
    return exact ? [exact] : found;
  }

  /** The files of a report, as they were saved; null when there is none of that id. */
  async files(reportId: string): Promise<{ reportJson: string; reportHtml: string } | null> {
    const [row] = await this.pool.rows(
      'report_files',
      'SELECT report_json, report_html FROM reports WHERE report_id = $1',
      [reportId],
    );
    return row ? { reportJson: row[0]!, reportHtml: row[1]! } : null;
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

function fromRow(row: TextRow): StoredReport {
  const [reportId, name, status, at, codeVersion, configurationHash, dataFingerprint] = row as string[];
  const [eventHash = null, archivedRun = null, summary, jsonSha256, htmlSha256] = row.slice(7);
  return {
    ...{
      reportId: reportId!,
      name: name!,
      status: status as StoredReport['status'],
      createdAt: Math.round(Number(at)),
    },
    ...{ codeVersion: codeVersion!, configurationHash: configurationHash!, dataFingerprint: dataFingerprint! },
    ...{ eventHash, archivedRun, summary: JSON.parse(summary!) as JsonObject },
    ...{ reportJsonSha256: jsonSha256!, reportHtmlSha256: htmlSha256! },
  };
}
