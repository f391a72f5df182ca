import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, lastJson } from './processes';
import { BARS_FILE, EXAMPLES, referenceOf, type Convention } from './reference-run';

/** As much of what `moon backtest --json` prints as the reference knows. */
interface Summary {
  bars: number;
  ticks: number;
  fills: number;
  closedTrades: number;
  finalEquity: string;
  finalCash: string;
  fees: string;
  fillsSha256: string;
  limitsEvaluated: number;
  limitBreaches: number;
  balanced: boolean;
  venueDifferences: string[];
  maxDrawdown: number;
  sharpe: number;
  winRate: number;
  profitFactor: number;
}

/** The example of the repository as one of the reference's conventions, over the whole year, by the command that a user types. */
export async function backtestReference(convention: Convention): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), 'moon-reference-'));
  try {
    const config = join(folder, 'sma-2022.json');
    writeFileSync(config, JSON.stringify(configOf(convention)));
    const args = ['backtest', '--config', config, '--from', BARS_FILE, '--data-dir', join(folder, 'data'), '--json'];
    const ended = await new Child('apps/cli/src/main.js', [...args, '--out', join(folder, 'report')]).ended;
    if (ended.code !== 0) throw new Error(`moon backtest ended with ${ended.code}: ${ended.stderr.slice(-2_000)}`);
    return lastJson<Summary>(ended);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Example {
  strategies: { path: string; config: Record<string, unknown> }[];
  venue: Record<string, unknown>;
}

function configOf(convention: Convention): object {
  const example = JSON.parse(readFileSync(join(EXAMPLES, 'sma-2022.json'), 'utf8')) as Example;
  const isOnTicks = convention.startsWith('tick');
  const strategies = example.strategies.map((strategy) => ({
    ...strategy,
    path: join(EXAMPLES, strategy.path),
    config: { ...strategy.config, on: isOnTicks ? 'ticks' : 'bars' },
  }));
  const venue = { ...example.venue, marketFill: /next/.test(convention) ? 'next' : 'last' };
  return { ...example, strategies, venue, ...(isOnTicks && { ticks: 'ohlc', initialBalance: '10000000' }) };
}

/** Books to the last digit; ratios, which are floats on both sides, to twelve places. */
export function expectReference(convention: Convention, found: Summary): void {
  const expected = referenceOf(convention);
  expect(found).toMatchObject({
    ...(convention.startsWith('tick') ? { ticks: expected.observations } : { bars: expected.observations }),
    fills: expected.fills,
    closedTrades: expected.closed_trades,
    fillsSha256: expected.fills_sha256,
    fees: expected.fees_decimal,
    finalCash: expected.final_cash_decimal,
    finalEquity: expected.final_equity_decimal,
    balanced: true,
    venueDifferences: [],
    limitBreaches: 0,
  });
  expect(found.limitsEvaluated).toBeGreaterThan(10 * found.fills);
  expect(found.maxDrawdown).toBeCloseTo(expected.max_drawdown, 12);
  expect(found.sharpe).toBeCloseTo(expected.sharpe_daily_365, 12);
  expect(found.winRate).toBeCloseTo(expected.win_rate, 12);
  expect(found.profitFactor).toBeCloseTo(expected.profit_factor, 12);
}
