import { dataDirHolder, findEmbeddedPostgres } from '@moon/infra';
import type { LogRow } from '@moon/kernel';
import { isConnectionLost } from '../../errors';
import type { GlobalOptions, Io } from '../../io';
import { chooseRun, withRunLog, type RunLog } from '../../store/run-log';
import { pause, withStore, type Store } from '../../store/store';
import { matches, type EventFilter } from './event-filter';
import { listEvents } from './list-events';

export interface FollowOptions {
  global: GlobalOptions;
  filter: EventFilter;
  /** Events of the past that are shown first. */
  limit: number;
  show: (row: LogRow) => void;
}

const POLL_MS = 300;
const RESTART_POLL_MS = 500;

/** How far a run has been shown. */
interface Place {
  runId: string;
  seq: number;
}

/**
 * Shows the newest events and then every new one as it is stored, until the user ends it. It needs no running platform:
 * it lets go of the store meanwhile, so that the platform can start, and goes on when it does.
 */
export async function followEvents(io: Io, options: FollowOptions): Promise<void> {
  let place: Place | null = null;
  while (!io.signal.aborted) {
    const dataDir: string = await withStore(
      io,
      { global: options.global, command: 'moon events --tail' },
      async (store) => {
        const run = await chooseRun(store, options.global.run);
        const known: Place | null = place?.runId === run.runId ? place : null;
        if (!known)
          io.err(
            `Run ${run.runId}${store.platformPid === null ? '' : `, platform running (process ${store.platformPid})`}. Ctrl-C ends.`,
          );
        await withRunLog(store, run, async (log) => {
          const from: number = known?.seq ?? (await showNewest(log, options));
          place = { runId: run.runId, seq: await followRunning(io, store, log, from, options) };
        });
        return store.dataDir;
      },
    );
    if (io.signal.aborted) return;
    io.err('No platform is running; waiting for it to start …');
    await platformStarts(io, dataDir);
  }
}

/** Shows the newest events that fit; returns the last position of the log. */
async function showNewest({ events }: RunLog, { filter, limit, show }: FollowOptions): Promise<number> {
  const last = await events.lastSeq();
  const { rows } = await listEvents(events, { filter, limit, end: 'newest' });
  for (const row of rows) if (row.seq <= last) show(row);
  return last;
}

/** Shows what is stored from now on, as long as the platform runs; returns the last position that was read. */
async function followRunning(
  io: Io,
  { dataDir, platformPid }: Store,
  { events }: RunLog,
  from: number,
  options: FollowOptions,
): Promise<number> {
  let seq = from;
  if (platformPid === null) return seq;
  try {
    // A killed platform leaves its server behind, which then answers for ever.
    while (!io.signal.aborted && dataDirHolder(dataDir)?.pid === platformPid) {
      for await (const row of events.readLog(seq)) {
        seq = row.seq;
        if (matches(options.filter, row)) options.show(row);
        if (io.signal.aborted) break;
      }
      await pause(POLL_MS);
    }
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
  }
  return seq;
}

async function platformStarts(io: Io, dataDir: string): Promise<void> {
  while (!io.signal.aborted) {
    if (dataDirHolder(dataDir)?.isPlatform && (await findEmbeddedPostgres(dataDir))) return;
    await pause(RESTART_POLL_MS);
  }
}
