import type { AnyEvent } from '@moon/events';
import type { CacheEntry } from '../ports/projection-cache';
import type { EventQuery, EventStore, LogRow } from '../ports/event-store';
import type { StoredAnswer } from './cache-reader';
import { Projector } from './projector';
import { registerKey, registerSource } from './registers';
import { streamOfKey } from './streams';

/** The half of an event store that is asked. */
type ReadStore = Pick<EventStore, 'query' | 'readStream'>;

const PAGE_ROWS = 1_000;
/** Newest events of a kind that are looked through for one key. */
const PAGES = 100;
/** Newest snapshots of a portfolio among which one with a delta is looked for. */
const SNAPSHOTS = 100;
const PORTFOLIO = 'portfolio:';

/**
 * What readers ask while the cache is away (CCH-4): each key is folded from the event store alone, by the same projector, out of
 * the events that it is made of and no others; the answer is the same to the byte and has the same version. What is only
 * published is looked for among the newest hundred thousand events of its kind: null says that it is not among them.
 */
export function storedProjections(store: ReadStore): (keys: readonly string[]) => Promise<StoredAnswer> {
  return async (keys) => {
    // First: what comes while the keys are folded makes them newer than is said, never older.
    const { rows } = await store.query({ order: 'newest', limit: 1 });
    const entries: (CacheEntry | null)[] = [];
    for (const key of keys) entries.push(await storedEntry(store, key));
    return { entries, asOf: rows[0]?.event.occurredAt ?? 0 };
  };
}

async function storedEntry(store: ReadStore, key: string): Promise<CacheEntry | null> {
  const streamId = streamOfKey(key);
  if (streamId !== null) return shown(await folded(store.readStream(streamId)), key);
  if (key.startsWith(PORTFOLIO)) return portfolioEntry(store, key);
  const source = registerSource(key);
  return source === null ? null : registered(store, key, source);
}

/** A portfolio begins with its newest snapshot that came with a delta; only where there is none, with its first delta. */
async function portfolioEntry(store: ReadStore, key: string): Promise<CacheEntry | null> {
  const portfolio = key.slice(PORTFOLIO.length);
  const deltas = { key: portfolio, types: ['state.changed'] };
  const snapshot = await newestSnapshot(store, portfolio);
  const from = snapshot ? { from: snapshot.event.occurredAt } : {};
  const projector = await folded(pages(store, { ...deltas, ...from }));
  if (snapshot) projector.apply(snapshot);
  projector.settle();
  return shown(projector, key);
}

/** One that changed nothing came without a delta: what it stands for does not say which version that is. */
async function newestSnapshot(store: ReadStore, portfolio: string): Promise<LogRow | null> {
  const newest = { key: portfolio, types: ['state.snapshot'], order: 'newest', limit: SNAPSHOTS } as const;
  for (const row of (await store.query(newest)).rows) {
    const { causationId } = row.event;
    if (causationId === null) continue;
    const { rows } = await store.query({ causationId, key: portfolio, types: ['state.changed'], limit: 1 });
    if (rows.length > 0) return row;
  }
  return null;
}

/** The newest event that is shown under the key: of the greatest time, then of the greatest id. */
async function registered(
  store: ReadStore,
  key: string,
  source: NonNullable<ReturnType<typeof registerSource>>,
): Promise<CacheEntry | null> {
  let newest: AnyEvent | null = null;
  for await (const { event } of pages(store, { ...source, order: 'newest' }, PAGES)) {
    if (newest !== null && event.occurredAt < newest.occurredAt) break;
    if (registerKey(event) === key && (newest === null || event.id > newest.id)) newest = event;
  }
  if (newest === null) return null;
  const projector = new Projector();
  projector.apply({ event: newest });
  return shown(projector, key);
}

async function folded(rows: AsyncIterable<LogRow>): Promise<Projector> {
  const projector = new Projector();
  for await (const row of rows) projector.apply(row);
  return projector;
}

function shown(projector: Projector, key: string): CacheEntry | null {
  const found = projector.find(key);
  return found && { version: found.version, value: found.value };
}

async function* pages(store: ReadStore, query: Omit<EventQuery, 'limit'>, most = Infinity): AsyncIterable<LogRow> {
  let cursor: string | null = null;
  for (let page = 0; page < most; page += 1) {
    const found: Awaited<ReturnType<EventStore['query']>> = await store.query({
      ...query,
      limit: PAGE_ROWS,
      ...(cursor !== null && { cursor }),
    });
    yield* found.rows;
    cursor = found.cursor;
    if (cursor === null) return;
  }
}
