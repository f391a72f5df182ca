import { setTimeout as pause } from 'node:timers/promises';
import { Retention, sample } from '@moon/infra';
import type { Part, PartContext } from '../process';

/** How often it is looked for what has expired, wall ms. */
const LOOK_MS = 6 * 3_600_000;
/** What is under way at a stop is given so long to end by itself, wall ms. */
const END_MS = 2_000;

/** Drops bus events and journals that are older than the store's policy; each drop is kept with its range, count and digest (rule 29). */
export function retentionPart({ connections }: PartContext): Part {
  const { access, config, logger } = connections;
  const retention = new Retention(access.app, config.postgres.database);
  const counts = { drops: 0, events: 0, journalDrops: 0, journalBatches: 0, failures: 0 };
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;
  let working: Promise<void> | null = null;
  const isWanted = (): boolean => !isStopped;
  const dropEvents = (): Promise<void> =>
    retention.dropExpired(
      (drop) => {
        counts.drops += 1;
        counts.events += drop.events;
        logger.warn(drop, 'bus events expired and were dropped');
      },
      { isWanted },
    );
  const dropJournals = async (): Promise<void> => {
    const shards = new Set<string>();
    const before = counts.journalBatches;
    try {
      await retention.dropExpiredJournal(
        (drop) => {
          counts.journalDrops += 1;
          counts.journalBatches += drop.batches;
          shards.add(drop.shard);
        },
        { isWanted },
      );
    } finally {
      const batches = counts.journalBatches - before;
      if (batches > 0) logger.info({ batches, shards: [...shards] }, 'batches of journals expired and were dropped');
    }
  };
  const attempt = async (drop: () => Promise<void>): Promise<void> => {
    if (isStopped) return;
    try {
      await drop();
    } catch (error) {
      // It was let go of.
      if (isStopped) return;
      counts.failures += 1;
      logger.error({ err: error }, 'what has expired could not be dropped; tried again at the next look');
    }
  };
  const look = (): void => {
    // One that takes longer than the time between two is not followed at once by the next.
    working ??= attempt(dropEvents)
      .then(() => attempt(dropJournals))
      .finally(() => (working = null));
  };
  return {
    name: 'retention',
    start: () => {
      look();
      timer = setInterval(look, LOOK_MS);
      return Promise.resolve();
    },
    stop: async () => {
      isStopped = true;
      if (timer) clearInterval(timer);
      const ended = new AbortController();
      const patience = pause(END_MS, undefined, { signal: ended.signal }).then(() => retention.close());
      await working;
      ended.abort();
      await patience.catch(() => undefined);
    },
    isUp: () => true,
    status: () => counts,
    metrics: () => [sample('moon_retention_failures_total', counts.failures)],
  };
}
