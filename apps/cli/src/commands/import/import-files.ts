import { join } from 'node:path';
import type { AnyEvent } from '@moon/events';
import {
  DataDirInUse,
  hasEmbeddedStore,
  lockDataDir,
  MarketFileSource,
  StoreInspection,
  type DataDirLock,
  type Run,
} from '@moon/infra';
import type { EventStore, LogRow } from '@moon/kernel';
import { CommandFailed } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { dataDirOf } from '../../store/data-dir';
import { withStore, type Store } from '../../store/store';
import { sumByReason, type ImportReport, type RefusalCount } from './import-report';
import { Progress } from './progress';
import { Sift, type KnownFacts } from './sift';

export interface ImportTask {
  global: GlobalOptions;
  source: MarketFileSource;
  refusals: RefusalCount;
  dryRun: boolean;
  /** Reading of `performance.now()` when the work began. */
  startedAt: number;
}

const COMMAND = 'moon import';
const IMPORTED = 'imported';

/** What new events go to; a dry run has nothing there. */
interface Target {
  run: Run | null;
  known: KnownFacts | null;
  write(events: readonly AnyEvent[]): Promise<void>;
}

/**
 * Brings the events of files into an imported log, in the recorded order of rule 1. Ids are derived from the facts, so
 * what is stored already is passed over: a second import adds nothing, and one that was cut off goes on.
 */
export async function importFiles(io: Io, task: ImportTask): Promise<ImportReport> {
  const first = await task.source.nextBatch();
  if (first === null) return runImport(io, task, null, { run: null, known: null, write: () => Promise.resolve() });
  if (task.dryRun && !hasEmbeddedStore(dataDirOf(io, task.global.dataDir))) return tryOut(io, task, first, null);
  return withStore(io, { global: task.global, command: COMMAND, create: !task.dryRun }, async (store) => {
    if (task.dryRun) return tryOut(io, task, first, store);
    const lock = lockLog(store, nameOf(task));
    try {
      const { run } = await store.registry.openRun({ mode: 'imported', name: nameOf(task) });
      return await intoRun(io, task, first, { store, run });
    } finally {
      lock.release();
    }
  });
}

const nameOf = ({ global }: ImportTask): string => global.run ?? IMPORTED;

/** Counts what an import would do, against the log that it would go to when there is one. */
async function tryOut(
  io: Io,
  task: ImportTask,
  first: readonly AnyEvent[],
  store: Store | null,
): Promise<ImportReport> {
  const run = (await store?.registry.findRun(nameOf(task))) ?? null;
  if (!store || run?.mode !== 'imported')
    return runImport(io, task, first, { run: null, known: null, write: () => Promise.resolve() });
  const inspection = new StoreInspection(store.access.app, run.database);
  try {
    return await runImport(io, task, first, {
      run: null,
      known: knownFacts(inspection),
      write: () => Promise.resolve(),
    });
  } finally {
    await inspection.close();
  }
}

async function intoRun(
  io: Io,
  task: ImportTask,
  first: readonly AnyEvent[],
  { store, run }: { store: Store; run: Run },
): Promise<ImportReport> {
  const events = store.registry.openStore(run, { connections: 1 });
  const inspection = new StoreInspection(store.access.app, run.database);
  try {
    const lastSeq = await events.lastSeq();
    const known = lastSeq === 0 ? null : knownFacts(inspection);
    return await runImport(io, task, first, { run, known, write: appender(events, lastSeq) });
  } finally {
    await inspection.close();
    await events.close();
  }
}

function appender(events: Pick<EventStore, 'appendBatch'>, lastSeq: number): Target['write'] {
  let seq = lastSeq;
  return async (fresh) => {
    const rows = fresh.map((event): LogRow => ({ seq: (seq += 1), event }));
    await events.appendBatch(rows);
  };
}

function knownFacts(inspection: StoreInspection): KnownFacts {
  return {
    knownIds: (events) => {
      const times = events.map(({ occurredAt }) => occurredAt);
      return inspection.knownIds(
        events.map(({ id }) => id),
        Math.min(...times),
        Math.max(...times),
      );
    },
    factsBeside: async (events) => {
      const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
      const rows = await inspection.factsAt(
        unique(events.map(({ type }) => type)),
        unique(events.map(({ key }) => key)),
        unique(events.map(({ occurredAt }) => occurredAt)),
      );
      return rows.map(({ event }) => event);
    },
  };
}

async function runImport(
  io: Io,
  task: ImportTask,
  first: readonly AnyEvent[] | null,
  target: Target,
): Promise<ImportReport> {
  const { source, refusals, dryRun, startedAt } = task;
  const sift = new Sift(target.known, (text) => refusals.noteConflict(text));
  const progress = new Progress(io.terminal, source.rows);
  let added = 0;
  let batch = first;
  try {
    while (batch !== null && !io.signal.aborted) {
      const fresh = await sift.newOf(batch);
      if (fresh.length > 0) await target.write(fresh);
      added += fresh.length;
      progress.at(source.reports.reduce((sum, { rows }) => sum + rows, 0));
      batch = await source.nextBatch();
    }
  } finally {
    progress.stop();
  }
  const files = source.reports.map((lane) => refusals.fileReport(lane));
  const sum = (of: 'rows' | 'used' | 'repeats' | 'conflicts' | 'refused'): number =>
    files.reduce((total, file) => total + file[of], 0);
  return {
    ...{ run: target.run?.runId ?? null, dryRun, interrupted: batch !== null, files },
    ...{
      rows: sum('rows'),
      used: sum('used'),
      repeats: sum('repeats'),
      conflicts: sum('conflicts'),
      refused: sum('refused'),
    },
    ...{ refusedByReason: sumByReason(files), ...sift.counts, added, firstErrors: refusals.firstErrors },
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

/** Two imports into one log at once would write to the same positions. */
function lockLog({ dataDir }: Store, name: string): DataDirLock {
  try {
    return lockDataDir(join(dataDir, 'import', name), COMMAND);
  } catch (error) {
    if (!(error instanceof DataDirInUse)) throw error;
    throw new CommandFailed(`Another import into "${name}" is under way (process ${error.pid}): wait for its end.`);
  }
}
