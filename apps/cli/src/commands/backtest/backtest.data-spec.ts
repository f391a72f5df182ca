import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BacktestSummary } from '@moon/backtesting';
import { CommandLine } from '../../testing/command-line';

const DATA = resolve(process.env.MOON_SHARED ?? join(__dirname, '../../../../../../shared'), 'data');
const EXAMPLE = join(__dirname, '../../../../../examples/sma-2022.json');
const YEAR_SECONDS = 365 * 86_400;

interface Expected {
  observations: number;
  fills: number;
  closed_trades: number;
  final_equity_decimal: string;
  fees_decimal: string;
  max_drawdown: number;
  sharpe_daily_365: number;
  win_rate: number;
  profit_factor: number;
  fills_sha256: string;
}

describe('moon backtest on the recorded year 2022', () => {
  const line = new CommandLine();
  afterAll(() => line.remove());

  it('[US3-1] [US3-5] [US3-7] gives the figures of the reference, and far faster than the year took', async () => {
    const reference = JSON.parse(readFileSync(join(DATA, 'reference/sma-2022.json'), 'utf8')) as {
      results: Record<'next_open' | 'signal_close', Expected>;
    };
    const file = join(DATA, 'candles/BTCUSDT-1m-2022.csv.gz');
    for (const [marketFill, expected] of [
      ['next', reference.results.next_open],
      ['last', reference.results.signal_close],
    ] as const) {
      const summary = await line.json<BacktestSummary>(
        ...['backtest', '--config', EXAMPLE, '--from', file, '--no-save', '--set', `venue.marketFill=${marketFill}`],
      );
      expect(summary).toMatchObject({
        ...{ status: 'complete', balanced: true, bars: expected.observations, fills: expected.fills },
        ...{ closedTrades: expected.closed_trades, fillsSha256: expected.fills_sha256 },
        ...{ finalEquity: expected.final_equity_decimal, fees: expected.fees_decimal },
      });
      expect(summary.maxDrawdown).toBeCloseTo(expected.max_drawdown, 12);
      expect(summary.sharpe).toBeCloseTo(expected.sharpe_daily_365, 9);
      expect(summary.winRate).toBeCloseTo(expected.win_rate, 12);
      expect(summary.profitFactor).toBeCloseTo(expected.profit_factor, 12);
      expect(summary.limitsEvaluated).toBeGreaterThan(expected.fills);
      expect(YEAR_SECONDS / summary.wallSeconds).toBeGreaterThan(100);
    }
  }, 600_000);
});
