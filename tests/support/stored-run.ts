import { add, evolvePortfolio, type PlatformConfig, type PortfolioState } from '@moon/domain';
import { createRoles, lockDataDir, RunRegistry, startEmbeddedPostgres } from '@moon/infra';
import { PaperVenue } from '@moon/app-execution';
import { assemble, MemoryEventStore, recover, VenueLink, VolatileLog, type Engine, type LogRow } from '@moon/kernel';

/** The log of a run whose process has ended, read from its data directory. */
export async function storedLog(dataDir: string, runId: string): Promise<LogRow[]> {
  const lock = lockDataDir(dataDir);
  const server = await startEmbeddedPostgres({ dataDir });
  try {
    const registry = await RunRegistry.open(await createRoles(server));
    const run = await registry.findRun(runId);
    if (!run) throw new Error(`There is no run "${runId}" in ${dataDir}.`);
    const store = registry.openStore(run);
    const rows: LogRow[] = [];
    for await (const row of store.readLog(0)) rows.push(row);
    await store.close();
    await registry.close();
    return rows;
  } finally {
    await server.stop();
    lock.release();
  }
}

/** Positions that the log leaves out, or holds twice. */
export function gaps(rows: readonly LogRow[]): number[] {
  return rows.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [seq]));
}

/** Events whose cause is not in the log before them (rule 26). */
export function dangling(rows: readonly LogRow[]): string[] {
  const known = new Set<string>();
  return rows.flatMap(({ event }) => {
    const isDangling = event.causationId !== null && !known.has(event.causationId);
    known.add(event.id);
    return isDangling ? [`${event.type} ${event.id}`] : [];
  });
}

/** The portfolio as the log alone tells it. */
export function foldPortfolio(rows: readonly LogRow[], name: string): PortfolioState {
  let state: PortfolioState | undefined;
  for (const { event } of rows) {
    const isOwn = event.key === name && (event.type.startsWith('portfolio.') || event.type === 'position.closed');
    if (isOwn) state = evolvePortfolio(state, event);
  }
  if (!state) throw new Error(`The log opens no portfolio "${name}".`);
  return state;
}

/** Σ of the quantities that the log's fills say were filled, by order. */
export function filledByOrder(rows: readonly LogRow[]): Map<string, string> {
  const filled = new Map<string, string>();
  for (const { event } of rows) {
    if (event.type !== 'trade.executed') continue;
    const { order_id: id, quantity } = event.data;
    filled.set(id, add(filled.get(id) ?? '0', quantity));
  }
  return filled;
}

/**
 * Handles a log again, from its beginning, with all handlers on one thread.
 *
 * @returns the engine at the end of the log, and what handlers emitted although the log does not hold it
 */
export async function handledAgain(rows: readonly LogRow[]): Promise<{ engine: Engine; unlogged: string[] }> {
  const activated = rows.map(({ event }) => event).find((event) => event.type === 'config.activated');
  if (activated?.type !== 'config.activated') throw new Error('The log has no configuration.');
  const store = new MemoryEventStore();
  await store.appendBatch(rows);
  const headers = activated.headers;
  const engine = assemble({
    config: activated.data.values.platform as PlatformConfig,
    ...{ log: new VolatileLog(), link: new VenueLink(new PaperVenue(), headers, false), headers },
    ...{ modelLatency: { minMs: 0, maxMs: 0 }, orderTimeToLiveMs: 0, venueRetryMs: 0 },
    ...{ sign: () => '', nextNonce: () => 0, onRequest: () => undefined },
  });
  const { unlogged } = await recover({ store, engine });
  return { engine, unlogged: unlogged.map(({ type, id }) => `${type} ${id}`) };
}
