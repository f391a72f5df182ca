import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MINUTE = 60_000;
export const START = Date.UTC(2024, 2, 1);

/** One-minute candles that go up and down in waves, so that a crossing of averages trades; every time the same. */
export function candleRows(minutes: number, symbol = 'BTCUSDT'): string[] {
  const rows = ['timestamp_ms,symbol,open,high,low,close,volume'];
  let open = 40_000;
  for (let minute = 0; minute < minutes; minute += 1) {
    const close = Number((40_000 + 900 * Math.sin(minute / 37) + 150 * Math.sin(minute / 5.3)).toFixed(2));
    const [high, low] = [Math.max(open, close) + 3.5, Math.min(open, close) - 2.25];
    rows.push([START + minute * MINUTE, symbol, open, high, low, close, 10 + (minute % 17)].join(','));
    open = close;
  }
  return rows;
}

/** A strategy of a user's own: it crosses the average of ten closes with that of thirty. */
const CROSSING = `
exports.createAgents = (config, { name }) => [{
  name: 'agent/' + name,
  role: 'agent',
  partitionedBy: 'token',
  consumes: ['bar.closed'],
  initialState: () => ({ closes: [], side: 0 }),
  handle: (event, state, out) => {
    const { token, instrument, close, timestamp } = event.data;
    if (config.hangsAt !== undefined && timestamp >= config.hangsAt) for (;;);
    if (config.throwsAt !== undefined && timestamp >= config.throwsAt) throw new Error('The rule has a bug.');
    state.closes.push(close);
    if (state.closes.length > 30) state.closes.shift();
    if (state.closes.length < 30) return;
    const mean = (prices) => prices.reduce((sum, price) => sum + price, 0) / prices.length;
    const side = mean(state.closes.slice(-10)) > mean(state.closes) ? 1 : -1;
    if (side === state.side) return;
    state.side = side;
    const action = side > 0 ? 'BUY' : 'SELL';
    out.emit('signal.generated', { token, instrument, action, score: 100, confidence: 1, agent: name, reason: 'The averages crossed.', timestamp });
  },
}];
`;

export interface BacktestFixture {
  /** A configuration that trades on the candles beside it. */
  config: string;
  candles: string;
}

/** Writes candles, strategy and configuration into a folder. */
export function writeFixture(folder: string, minutes = 900, changes: Record<string, unknown> = {}): BacktestFixture {
  const [candles, strategy, config] = ['candles.csv', 'crossing.cjs', 'crossing.json'].map((name) =>
    join(folder, name),
  );
  writeFileSync(candles!, `${candleRows(minutes).join('\n')}\n`);
  writeFileSync(strategy!, CROSSING);
  const settings = {
    ...{ name: 'Crossing', instruments: ['BTCUSDT.BINANCE-SPOT'], initialBalance: 1_000_000 },
    ...{ accountModel: 'cash-short-credit', sizing: { mode: 'target', quantity: '1' }, warmUpMs: 0, agents: [] },
    strategies: [{ path: 'crossing.cjs' }],
    data: { files: ['candles.csv'] },
    platform: { consensus: { minimumAgents: 1, cooldownMs: 0 } },
    venue: { marketFill: 'next', fees: { takerBps: 5 } },
    ...changes,
  };
  writeFileSync(config!, JSON.stringify(settings, null, 2));
  return { config: config!, candles: candles! };
}
