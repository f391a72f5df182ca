import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '@moon/backtesting';
import { MemoryEventStore, type LogRow } from '@moon/kernel';
import { writeCandles } from './market';
import { platformConfig, recordedInputs, replayOptions } from './recorded';

/** A portfolio with a position that a crash brings close to its limits. */
const portfolio = (name: string): object => ({
  name,
  marginMode: 'isolated',
  instruments: [
    { instrument: 'BTC.HYPERLIQUID', leverage: 3 },
    { instrument: 'ETH.HYPERLIQUID', leverage: 3 },
  ],
  positions: [{ instrument: 'BTC.HYPERLIQUID', side: 'long', quantity: '1', price: '40000' }],
});

/** The log of a day and a night in which two portfolios trade two tokens and prices crash: orders, consensus, halts, everything. */
export async function tradedLog(minutes = 1_500): Promise<{ store: MemoryEventStore; rows: LogRow[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'moon-traded-'));
  const store = new MemoryEventStore();
  try {
    const file = join(folder, 'candles.csv');
    const symbols = [
      { symbol: 'BTCUSDT', price: 40_000 },
      { symbol: 'ETHUSDT', price: 2_500 },
    ];
    const start = Date.UTC(2024, 4, 1);
    writeCandles(file, { seed: 5, minutes, start, symbols, crashAt: Math.floor(minutes * 0.66), crashShare: 0.3 });
    const opening = { minScore: 55, minConfidence: 0.3, minIntervalMs: 60_000 };
    const platform = platformConfig({
      portfolios: [portfolio('main'), portfolio('second')],
      consensus: { minimumAgents: 1, threshold: 55, cooldownMs: 0 },
      agents: { trading: { opening }, chart: { opening } },
    });
    await replay({ ...replayOptions(await recordedInputs([file]), platform), store });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const rows: LogRow[] = [];
  for await (const row of store.readLog(0)) rows.push(row);
  return { store, rows };
}
