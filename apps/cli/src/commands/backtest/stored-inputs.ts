import { BacktestRefused, type BacktestInputs, type InputRequest } from '@moon/backtesting';
import type { AnyEvent } from '@moon/events';
import { RunRegistry, StoreInspection, type PostgresAccess } from '@moon/infra';
import type { InputSource } from '@moon/kernel';

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
    const to = range.to ?? undefined;
    const source = await registry.openInputs(run, { ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
    const { instruments, fundingInstruments, firstAt, lastAt } = facts ?? NOTHING;
    return {
      source: range.from === null ? source : new WarmedUp(source, range.from),
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

/** Marks what lies before the range as warm-up (rule 7). */
class WarmedUp implements InputSource {
  private isWarm = false;

  constructor(
    private readonly source: InputSource,
    private readonly from: number,
  ) {}

  async nextBatch(): Promise<readonly AnyEvent[] | null> {
    const batch = await this.source.nextBatch();
    if (batch === null || this.isWarm) return batch;
    for (const event of batch) {
      // Live logs are in the order of arrival: an earlier one may come behind the first of the range.
      if (event.occurredAt < this.from) event.headers = { ...event.headers, warmup: true };
    }
    this.isWarm = batch.every(({ occurredAt }) => occurredAt >= this.from + SETTLED_MS);
    return batch;
  }
}

/** No input is later than this behind its time, ms. */
const SETTLED_MS = 3_600_000;
