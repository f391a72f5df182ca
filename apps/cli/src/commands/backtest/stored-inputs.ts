import { BacktestRefused, type BacktestInputs, type InputRequest } from '@moon/backtesting';
import { RunRegistry, StoreInspection, type PostgresAccess } from '@moon/infra';

/** How the thread of a backtest reaches the run whose market data it replays. */
export interface StoredRun {
  access: PostgresAccess;
  runId: string;
}

/** The market data of a run in the store; what the run itself made of them is made again. */
export async function openStoredInputs(
  { range, warmUpMs, ticks }: InputRequest,
  { access, runId }: StoredRun,
): Promise<BacktestInputs> {
  if (ticks === 'ohlc')
    throw new BacktestRefused(
      '"ticks": "ohlc" takes the candles of files apart; a run of the store is replayed as it was recorded.',
    );
  const registry = await RunRegistry.open(access);
  try {
    const run = await registry.findRun(runId);
    if (!run) throw new BacktestRefused(`There is no run "${runId}" in the store; "moon runs" lists them.`);
    const facts = await factsOf(access, run.database);
    const from = range.from === null ? undefined : range.from - warmUpMs;
    const to = range.to === null ? undefined : range.to + 1;
    const source = await registry.openInputs(run, {
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    });
    const { instruments, fundingInstruments, firstAt, lastAt } = facts ?? NOTHING;
    return {
      source,
      names: [run.runId],
      ...{ instruments, fundingInstruments, firstAt, lastAt },
      startsAt: source.startsAt ?? 0,
      fingerprint: () => source.fingerprint,
      reader: () => ({ duplicatesCollapsed: 0, conflicts: 0, refusedByReason: {} }),
      close: async () => {
        await source.close();
        await registry.close();
      },
    };
  } catch (error) {
    await registry.close();
    throw error;
  }
}

const NOTHING = { instruments: [], fundingInstruments: [], firstAt: null, lastAt: null };

async function factsOf(access: PostgresAccess, database: string): ReturnType<StoreInspection['marketFacts']> {
  const inspection = new StoreInspection(access.app, database);
  try {
    return await inspection.marketFacts();
  } finally {
    await inspection.close();
  }
}
