import type { EventStore } from '@moon/kernel';

/** A halt that was raised and not lifted since. */
export interface HaltInForce {
  source: string;
  scope: 'portfolio' | 'global';
  reason: string;
  /** Event time, epoch ms. */
  since: number;
}

/** The key of global halts. */
export const GLOBAL = 'global';

/** The stream in which a shard of a deployment keeps the global halts that its portfolios obey. */
export const globalHaltsOf = (shard: string): string => `halts-global@${shard}`;

const PAGE_ROWS = 1_000;

/**
 * Halts in force of a portfolio alone, or, by the key `global`, of all portfolios; the oldest first. In a deployment each
 * shard keeps its own global ones, in a stream that can be named.
 */
export async function haltsInForce(
  store: Pick<EventStore, 'query'>,
  key: string,
  streamId?: string,
): Promise<HaltInForce[]> {
  const halts = new Map<string, HaltInForce>();
  let cursor: string | null = null;
  do {
    const query = { types: ['halt.raised', 'halt.lifted'], key, streamId, limit: PAGE_ROWS };
    const page: Awaited<ReturnType<EventStore['query']>> = await store.query({
      ...query,
      ...(cursor !== null && { cursor }),
    });
    for (const { event } of page.rows) {
      if (event.type !== 'halt.raised' && event.type !== 'halt.lifted') continue;
      const { source, scope, reason } = event.data;
      const identity = JSON.stringify([source, scope, reason]);
      if (event.type === 'halt.lifted') halts.delete(identity);
      else if (!halts.has(identity)) halts.set(identity, { source, scope, reason, since: event.occurredAt });
    }
    cursor = page.cursor;
  } while (cursor !== null);
  return [...halts.values()];
}
