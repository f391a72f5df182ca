import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const EXAMPLE = resolve(__dirname, '../../examples/strategies/sma-flip.ts');

/** A folder outside the repository, as a user has it: strategies, recorded bars, and configurations of backtests. */
export class UserFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'moon-strategist-'));

  write(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  /** Minute bars of a price that swings between 90 and 110 once an hour. */
  bars(minutes: number): string {
    const price = (minute: number): string =>
      (100 + 10 * Math.sin((2 * Math.PI * minute) / 60) + ((minute * 7) % 13) / 10).toFixed(2);
    const rows = Array.from({ length: minutes }, (_, minute) => {
      const [open, close] = [price(minute - 1), price(minute)];
      const [low, high] = [open, close].sort((a, b) => Number(a) - Number(b));
      return `${Date.UTC(2022, 0, 1) + minute * 60_000},BTCUSDT,${open},${high},${low},${close},10`;
    });
    return this.write('BTCUSDT-1m.csv', ['timestamp_ms,symbol,open,high,low,close,volume', ...rows, ''].join('\n'));
  }

  /** A configuration in which only the given strategy takes part. */
  backtest(strategy: string, rest: Record<string, unknown> = {}): string {
    const config = {
      instruments: ['BTCUSDT.BINANCE-SPOT'],
      initialBalance: '1000000',
      accountModel: 'cash-short-credit',
      settlementAsset: 'USDT',
      sizing: { mode: 'target', quantity: '1' },
      limits: { duplicate_order: 0 },
      warmUpMs: 0,
      agents: [],
      data: { files: ['BTCUSDT-1m.csv@BINANCE-SPOT'] },
      strategies: [{ path: strategy }],
      platform: { consensus: { minimumAgents: 1, cooldownMs: 0 } },
      ...rest,
    };
    return this.write(`${strategy}.json`, JSON.stringify(config));
  }

  /** The example strategy, taken out of the repository as its first lines tell. */
  get example(): string {
    return EXAMPLE;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
