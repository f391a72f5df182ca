import { createHash } from 'node:crypto';
import { BacktestRefused, type BacktestInputs, type InputRequest } from '@moon/backtesting';
import type { AnyEvent } from '@moon/events';
import { PostgresEventStore, type Login } from '@moon/infra';
import type { InputSource, LogRow } from '@moon/kernel';

/** Market data of a run, as they were recorded: what other handlers made of them is made again. */
const MARKET = ['price.tick', 'bar.opened', 'bar.closed', 'funding.update', 'market.liquidation', 'market.sentiment'];
const FEED = 'feed/';
const BATCH = 4_096;
const WEEK_MS = 7 * 86_400_000;

/** The market data of a run in the store, in the order in which it recorded them (rule 1). */
export async function openStoredInputs(
  { range, warmUpMs, ticks }: InputRequest,
  { app, database, run }: { app: Login; database: string; run: string },
): Promise<BacktestInputs> {
  if (ticks === 'ohlc')
    throw new BacktestRefused('"ticks": "ohlc" takes candles of files apart; a run of the store is replayed as it was recorded.');
  const store = new PostgresEventStore(app, database, { connections: 2 });
  try {
    const [first, last] = [await edge(store, 'oldest'), await edge(store, 'newest')];
    if (!first || !last) throw new BacktestRefused(`Run ${run} holds no market data.`);
    const from = range.from === null ? null : range.from - warmUpMs;
    const source = new StoredSource(store, { from, ...range, start: range.from });
    const facts = await instrumentsOf(store);
    return {
      source,
      names: [run],
      ...facts,
      ...{ firstAt: first.occurredAt, lastAt: last.occurredAt },
      startsAt: Math.max(first.occurredAt, from ?? first.occurredAt),
      fingerprint: () => source.fingerprint(),
      reader: () => ({ duplicatesCollapsed: 0, conflicts: 0, refusedByReason: {} }),
      close: () => store.close(),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
