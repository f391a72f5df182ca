import type { AnyEvent } from '@moon/events';

/** Where a run of the synthetic feed stands, read from its log; plain JSON. */
export interface SyntheticResume {
  /** Time of the newest event, ms: the run's clock goes on from here. */
  lastAt: number;
  /** The second (since the epoch) that is made next; it may have been published in part. */
  second: number;
  /** Last traded price before that second, by token. */
  prices: Record<string, number>;
  /** Trades of the minute before, oldest first: for `volume_1m`. */
  trades: { instrument: string; at: number; value: number }[];
  /** Ids of events of that second that are in the log already. */
  known: string[];
}

const MINUTE = 60_000;

/**
 * Reads from a log's newest events where the feed stands.
 *
 * @param events the newest ticks of the run in any order, at least those of the last two minutes of feed time; others are ignored
 * @param tokens every token that the feed prices
 * @returns null when the log has no trade of one of them: then there is nothing to go on from, and the run starts afresh
 */
export function syntheticResume(events: readonly AnyEvent[], tokens: readonly string[]): SyntheticResume | null {
  const own = events.filter((event) => event.source === 'feed/SYNTHETIC' && event.headers?.warmup !== true);
  const ticks = own.filter((event) => event.type === 'price.tick').sort((a, b) => a.occurredAt - b.occurredAt);
  const newest = ticks[ticks.length - 1];
  if (newest === undefined) return null;
  const second = Math.floor(newest.occurredAt / 1_000);
  const prices: Record<string, number> = {};
  const trades: SyntheticResume['trades'] = [];
  for (const { data, occurredAt } of ticks) {
    if (data.kind !== 'last' || occurredAt >= second * 1_000) continue;
    prices[data.token] = data.price;
    if (occurredAt < second * 1_000 - MINUTE) continue;
    trades.push({ instrument: data.instrument, at: occurredAt, value: data.price * (data.size ?? 0) });
  }
  if (tokens.some((token) => prices[token] === undefined)) return null;
  const known = own.filter((event) => event.occurredAt >= second * 1_000).map((event) => event.id);
  return { lastAt: newest.occurredAt, second, prices, trades, known };
}
