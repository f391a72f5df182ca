import { Retention, sample } from '@moon/infra';
import type { Part, PartContext } from '../process';

/** How often it is looked for what has expired, wall ms. */
const LOOK_MS = 6 * 3_600_000;

/** Drops bus events and journals that are older than the store's policy; each drop is kept with its range, count and digest (rule 29). */
export function retentionPart({ connections }: PartContext): Part {
  const { access, config, logger } = connections;
  const retention = new Retention(access.app, config.postgres.database);
  const counts = { drops: 0, events: 0, journalBatches: 0, failures: 0 };
  let timer: NodeJS.Timeout | null = null;
  let working = Promise.resolve();
  const look = (): void => {
    working = working.then(async () => {
      try {
        for (const drop of await retention.dropExpired()) {
          counts.drops += 1;
          counts.events += drop.events;
          logger.warn(drop, 'bus events expired and were dropped');
        }
        const journals = await retention.dropExpiredJournal();
        const batches = journals.reduce((sum, drop) => sum + drop.batches, 0);
        counts.journalBatches += batches;
        if (batches > 0) {
          const shards = [...new Set(journals.map(({ shard }) => shard))];
          logger.info({ batches, shards }, 'batches of journals expired and were dropped');
        }
      } catch (error) {
        counts.failures += 1;
        logger.error({ err: error }, 'what has expired could not be dropped; tried again at the next look');
      }
    });
  };
  return {
    name: 'retention',
    start: () => {
      look();
      timer = setInterval(look, LOOK_MS);
      return Promise.resolve();
    },
    stop: () => {
      if (timer) clearInterval(timer);
      return working;
    },
    isUp: () => true,
    status: () => counts,
    metrics: () => [sample('moon_retention_failures_total', counts.failures)],
  };
}
