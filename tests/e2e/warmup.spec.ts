import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '@moon/backtesting';
import { MemoryEventStore } from '@moon/kernel';
import { writeCandles } from '../support/market';
import { platformConfig, recordedInputs, replayOptions } from '../support/recorded';

describe('A recorded run that starts in the middle of its data (rule 7)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-warmup-'));
  const file = join(folder, 'candles.csv');
  const start = Date.UTC(2024, 6, 1);
  const from = new Date(start + 6 * 3_600_000).toISOString();
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = async (warmupMs: number): Promise<MemoryEventStore> => {
    const store = new MemoryEventStore();
    const platform = platformConfig({
      portfolios: [{ name: 'main', instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 2 }] }],
    });
    await replay({ ...replayOptions(await recordedInputs([file], { from, warmupMs }), platform), store });
    return store;
  };
  const firstQuestion = async (store: MemoryEventStore): Promise<number> => {
    for await (const { event } of store.readLog(0)) if (event.type === 'inference.requested') return event.occurredAt;
    return Number.POSITIVE_INFINITY;
  };

  it('warms the agents up on what came before: they have views at once, and nothing follows from the warm-up itself', async () => {
    writeCandles(file, { seed: 3, minutes: 480, start, symbols: [{ symbol: 'BTCUSDT', price: 40_000 }] });
    const [warm, cold] = [await run(6 * 3_600_000), await run(0)];
    expect(await firstQuestion(warm)).toBeLessThan(await firstQuestion(cold));
    let [warmups, afterStart] = [0, 0];
    for await (const { event } of warm.readLog(0)) {
      const isEarly = event.occurredAt < Date.parse(from) && event.type.startsWith('bar.');
      expect(event.headers?.warmup === true).toBe(isEarly);
      if (isEarly) warmups += 1;
      else if (event.type === 'signal.generated') afterStart += 1;
    }
    expect(warmups).toBe(2 * 360 - 1);
    expect(afterStart).toBeGreaterThan(0);
  });
});
