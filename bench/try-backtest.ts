import { backtestConfigSchema, runBacktest } from '@moon/backtesting';
import { loadConfig } from '@moon/infra';
import { openFileInputs } from '../apps/cli/src/commands/backtest/open-inputs';
void (async () => {
  const config = loadConfig(backtestConfigSchema, { file: process.argv[2] });
  const out = await runBacktest({ id: 'x', config, folder: process.cwd(), codeVersion: '0' }, { openInputs: (r) => openFileInputs(r, () => undefined), onProgress: (p) => { if (p.events % 409600 === 0) console.error(p, process.memoryUsage().rss / 1e6); } });
  const p = out.input.portfolios[0]!;
  console.log(JSON.stringify({ ...out.input.run, configuration: undefined }, null, 1), { ...p, days: p.days.length, curve: p.curve.length, trades: p.trades.length, fills: p.fills.length, fundings: p.fundings.length }, out.fillsSha256, out.failures, out.venueDifferences, out.input.benchmark && { ...out.input.benchmark, days: out.input.benchmark.days.length }, out.input.candles.map((c) => [c.instrument, c.intervalMs, c.at.length]), { ...out.input.decisions, kept: out.input.decisions.kept.length }, out.input.dataQuality, p.trades[0], JSON.stringify(p.open));
})();
