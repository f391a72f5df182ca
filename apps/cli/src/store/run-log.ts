import {
  migrateUp,
  nearestName,
  StoreInspection,
  type PostgresEventStore,
  type ReadableLog,
  type Run,
} from '@moon/infra';
import { CommandFailed, UsageError } from '../errors';
import { GLOBAL, haltsInForce, type HaltInForce } from './halts-in-force';
import type { Store } from './store';

/** What a message calls the log. */
export const nameOf = ({ run, isPositional }: Pick<ReadLog, 'run' | 'isPositional'>): string =>
  isPositional ? `Run ${run.runId}` : `The ${run.runId}`;

/** A log that can be looked into, of one run or of a deployment of many processes. */
export interface ReadLog {
  run: Pick<Run, 'runId'> & Partial<Pick<Run, 'status' | 'mode'>>;
  events: ReadableLog;
  inspection: StoreInspection;
  /** Halts that keep a portfolio from trading: its own, and those of all portfolios; the oldest of each first. */
  haltsOn(portfolio: string): Promise<HaltInForce[]>;
  /** True: positions say in which order events were handled. Where many processes write, only their times and causes do. */
  isPositional: boolean;
}

/** The log of one run, open for reading (and, for operators' requests, the run itself). */
export interface RunLog extends ReadLog {
  run: Run;
  events: PostgresEventStore;
}

/**
 * The run that a command is about: the one that is named, by its whole name or a beginning that only it has; else the
 * one that was opened last. Imported logs and those of backtests, which nothing trades on, come after all others.
 */
export async function chooseRun(
  { registry, dataDir }: Pick<Store, 'registry' | 'dataDir'>,
  named?: string,
): Promise<Run> {
  const runs = await registry.listRuns();
  if (named === undefined) {
    const latest = runs.find(({ mode }) => mode !== 'imported' && mode !== 'backtest') ?? runs[0];
    if (!latest)
      throw new CommandFailed(
        `No run is recorded in ${dataDir} yet: start the platform with "npm start", or use "moon import FILE".`,
      );
    return latest;
  }
  const exact = runs.find(({ runId }) => runId === named);
  if (exact) return exact;
  const beginning = runs.filter(({ runId }) => runId.startsWith(named));
  if (beginning.length === 1) return beginning[0]!;
  const ids = runs.map(({ runId }) => runId);
  if (beginning.length > 1) {
    throw new UsageError(
      `"${named}" fits ${beginning.length} runs: ${beginning.map(({ runId }) => runId).join(', ')}. Name one of them.`,
    );
  }
  const nearest = nearestName(named, ids);
  const known =
    ids.length === 0
      ? 'There are no runs yet.'
      : `Runs: ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''}.`;
  throw new UsageError(`There is no run "${named}". ${nearest === null ? known : `Did you mean "${nearest}"?`}`);
}

/** Works on a run's log. An older schema is brought up to date, unless a platform is at work on the server. */
export async function withRunLog<T>(store: Store, run: Run, work: (log: RunLog) => Promise<T>): Promise<T> {
  if (store.platformPid === null) await migrateUp(store.access, run.database, 'run');
  const events = store.registry.openStore(run, { connections: 2 });
  const inspection = new StoreInspection(store.access.app, run.database);
  try {
    const haltsOn = async (portfolio: string): Promise<HaltInForce[]> => [
      ...(await haltsInForce(events, GLOBAL)),
      ...(await haltsInForce(events, portfolio)),
    ];
    return await work({ run, events, inspection, haltsOn, isPositional: true });
  } finally {
    await inspection.close();
    await events.close();
  }
}
