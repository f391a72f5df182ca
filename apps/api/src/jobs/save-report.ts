import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { sha256, type BacktestFiles, type BacktestResult } from '@moon/backtesting';
import { num15 } from '@moon/domain';
import { eventId, type AnyEvent, type EmitData, type JsonObject } from '@moon/events';
import { ReportStore, type PostgresAccess, type Run, type RunRegistry } from '@moon/infra';
import { ConcurrencyConflict, LogDiverged, type LogRow } from '@moon/kernel';

/** Where reports and runs are kept. */
interface Store {
  access: PostgresAccess;
  registry: RunRegistry;
}

/** What was saved in the event store. */
export interface SavedReport {
  reportId: string;
  /** The run that holds the events of the backtest; null when they were not kept. */
  archivedRun: string | null;
  /** Id of the `backtest.completed`. */
  eventId: string;
}

const ROWS_AT_ONCE = 5_000;
/** Others may complete backtests at the same time, beside a running platform. */
const ATTEMPTS = 20;

/**
 * Saves a backtest in the event store: its events as a run of their own, the report's files, which nothing changes any
 * more, and a `backtest.completed` in the log of backtests that vouches for them. Repeated under the same id it saves
 * nothing twice.
 */
export async function saveReport(
  store: Store,
  { summary, run, spool }: Pick<BacktestResult, 'summary' | 'run' | 'spool'>,
  files: BacktestFiles,
): Promise<SavedReport> {
  const { id: reportId, name, status, eventHash, stateHash, codeVersion, configurationHash, dataFingerprint } = summary;
  const archivedRun =
    spool === null || spool.failure !== null ? null : await archive(store, reportId, spool.path, summary);
  let hashes = { reportJsonSha256: sha256(files.reportJson), reportHtmlSha256: sha256(files.reportHtml) };
  const reports = new ReportStore(store.access.app);
  try {
    const saved = (await reports.find(reportId)).find((report) => report.reportId === reportId);
    // A job that was cut off between the report and its record: what is kept is vouched for.
    if (saved) hashes = { reportJsonSha256: saved.reportJsonSha256, reportHtmlSha256: saved.reportHtmlSha256 };
    else
      await reports.save({
        ...{ reportId, name, status, codeVersion, configurationHash, dataFingerprint, eventHash, archivedRun },
        ...{ summary: summary as unknown as JsonObject, reportJson: files.reportJson, reportHtml: files.reportHtml },
        ...hashes,
      });
  } finally {
    await reports.close();
  }
  const at = Date.now();
  const completed: EmitData<'backtest.completed'> = {
    ...{ reportId, name, status },
    ...(summary.statusReason !== null && { statusReason: summary.statusReason.slice(0, 4_000) }),
    ...{ codeVersion, configuration: plain(run.configuration), configurationHash },
    ...{ dataSources: run.data.sources, dataFingerprint, eventHash, stateHash, ...hashes },
    ...(archivedRun !== null && { archivedRun }),
    timestamp: at,
  };
  return { reportId, archivedRun, eventId: await complete(store, completed) };
}

async function archive(
  store: Store,
  reportId: string,
  path: string,
  summary: BacktestResult['summary'],
): Promise<string> {
  const { run } = await store.registry.openRun({ mode: 'backtest', name: `backtest-${reportId}` });
  const events = store.registry.openStore(run, { connections: 1 });
  try {
    let rows: LogRow[] = [];
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      rows.push(JSON.parse(line) as LogRow);
      if (rows.length < ROWS_AT_ONCE) continue;
      await events.appendBatch(rows);
      rows = [];
    }
    await events.appendBatch(rows);
  } finally {
    await events.close();
  }
  const { fills, finalEquity, eventHash, stateHash } = summary;
  await store.registry.finishRun(run.runId, { fills, equity: Number(finalEquity), eventHash, stateHash });
  return run.runId;
}

/** Appends to the log of completed backtests. */
async function complete(store: Store, data: EmitData<'backtest.completed'>): Promise<string> {
  const { run } = await store.registry.openRun({ mode: 'backtest' });
  const id = eventId('backtest.completed', data.reportId);
  const event = {
    ...{ id, type: 'backtest.completed', schemaVersion: 1, source: 'moon/backtest', key: 'system' },
    ...{ occurredAt: data.timestamp, correlationId: id, causationId: null },
    data: { event_type: 'backtest.completed', ...data },
  } as unknown as AnyEvent;
  await append(store, run, event);
  return id;
}

async function append(store: Store, run: Run, event: AnyEvent): Promise<void> {
  const events = store.registry.openStore(run, { connections: 1 });
  try {
    for (let attempt = 1; ; attempt += 1) {
      const seq = (await events.lastSeq()) + 1;
      try {
        // Nothing else is in this log, so the position is the stream's version, too.
        return await events.appendBatch([{ seq, event, streamId: 'audit', version: seq }]);
      } catch (error) {
        const isTaken = error instanceof ConcurrencyConflict || error instanceof LogDiverged;
        if (!isTaken || attempt === ATTEMPTS) throw error;
      }
    }
  } finally {
    await events.close();
  }
}

/** Plain JSON whose numbers have at most 15 digits, as an event's must. */
function plain(value: unknown): JsonObject {
  return JSON.parse(
    JSON.stringify(value, (_name, inner: unknown) => (typeof inner === 'number' ? num15(inner) : inner)),
  ) as JsonObject;
}
