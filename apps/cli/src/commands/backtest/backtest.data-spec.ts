import { readFileSync, writeFileSync } from 'node:fs';
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

  it('[US3-1] [US3-2] plays a recorded feed, trades meet its book, twice the same', async () => {
    const folder = line.folder;
    writeFileSync(join(folder, 'taker.cjs'), TAKER);
    const config = join(folder, 'feed.json');
    const settings = {
      ...{ name: 'Feed', initialBalance: 100_000, warmUpMs: 0, agents: [], strategies: [{ path: 'taker.cjs' }] },
      ...{ sizing: { mode: 'target', quantity: '0.5' }, limits: { max_leverage: 10, position_limit: 10 } },
      platform: { consensus: { minimumAgents: 1, cooldownMs: 0 } },
    };
    writeFileSync(config, JSON.stringify(settings));
    const feed = join(DATA, 'l2/binance-usdm-btcusdt-20240808-raw.txt.gz');
    const run = () => line.json<BacktestSummary>('backtest', '--config', config, '--from', feed, '--no-save');
    const [first, second] = [await run(), await run()];
    expect(first).toMatchObject({ status: 'complete', balanced: true, rowsRefused: {}, venueDifferences: [] });
    expect(first.ticks).toBeGreaterThan(80_000);
    expect(first.fills).toBeGreaterThan(3);
    expect([second.eventHash, second.fillsSha256]).toEqual([first.eventHash, first.fillsSha256]);
    const { code, err } = await line.moon(
      ...['backtest', '--config', config, '--no-save', '--from', feed],
      join(DATA, 'candles/BTC-ETH-1m-20240808.csv.gz'),
    );
    expect([code, err.join(' ')]).toEqual([2, expect.stringMatching(/is played alone/)]);
  }, 600_000);
});

/** Buys and sells in turn, once a minute. */
const TAKER = `
exports.createAgents = (_config, { name }) => [{
  name: 'agent/' + name,
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['price.tick'],
  initialState: () => ({ minute: 0 }),
  handle: (event, state, out) => {
    const { token, instrument, kind, timestamp } = event.data;
    const minute = Math.floor(timestamp / 60000);
    if (kind !== 'last' || minute === state.minute) return;
    state.minute = minute;
    const action = minute % 2 === 0 ? 'BUY' : 'SELL';
    out.emit('signal.generated', { token, instrument, action, score: 100, confidence: 1, agent: name, reason: 'A new minute.', timestamp });
  },
}];
`;
