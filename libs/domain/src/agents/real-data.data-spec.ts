import type { AnyEvent, EmitData } from '@moon/events';
import { ensemble, minuteBar } from '../agent-kit/testing';
import { createConsensusSaga } from '../consensus';
import { ruleBasedModel } from '../models';
import { readSharedCandles } from '../testing/shared-data';
import { createChartAgent } from './chart';
import { createFundingAgent } from './funding';
import { createSentimentAgent } from './sentiment';
import { createTradingAgent } from './trading';

export function answerByRules(event: AnyEvent): { type: 'inference.completed'; data: object } | null {
  if (event.type !== 'inference.requested') return null;
  const { token, inferenceId, agent, timestamp, windowId } = event.data;
  const answer = ruleBasedModel(event.data);
  return {
    type: 'inference.completed',
    data: { token, inferenceId, agent, model: 'rule-based-1', provider: 'rule-based', status: 'ok', answer, latencyMs: 0, timestamp, ...(windowId && { windowId }) },
  };
}
const names = ['trading_agent', 'chart_agent', 'sentiment_agent', 'funding_agent'];

it('counts', () => {
  for (const [file, symbol] of [
    ['candles/BTC-ETH-1m-20210419-20210531-crash.csv.gz', 'BTCUSDT'],
    ['candles/BTC-ETH-1m-20230102-20230108-calm.csv.gz', 'BTCUSDT'],
    ['candles/BTC-ETH-1m-20260601-20260615.csv.gz', 'ETHUSDT'],
    ['candles/BTC-ETH-1m-20250126-20250206.csv.gz', 'BTCUSDT'],
  ] as const) {
    const counts: Record<string, number> = {};
    const saga = createConsensusSaga({ voters: names.map((agent) => ({ agent, weight: 1 })) });
    const approvals: EmitData<'trade.consensus_approved'>[] = [];
    const bars = readSharedCandles(file).filter((b) => b.symbol === symbol);
    const by: Record<number, number> = {};
    const out: number[] = [];
    const run = ensemble('BTC', [createTradingAgent({ opening: JSON.parse(process.env.TO ?? '{}') }), createChartAgent({ ...JSON.parse(process.env.CC ?? '{}'), opening: JSON.parse(process.env.CO ?? '{}') }), createSentimentAgent(), createFundingAgent(), saga], answerByRules, (e) => {
      const k = e.type === 'signal.generated' ? `${e.type} ${e.data.agent} ${e.data.windowId ? 'answer' : 'open'} ${e.data.action}` : e.type === 'signal.consensus_failed' ? `failed ${e.data.reason}` : e.type;
      counts[k] = (counts[k] ?? 0) + 1;
      if (e.type === 'trade.consensus_approved') { approvals.push(e.data); out.push(e.occurredAt); const d = Math.floor(e.occurredAt / 86_400_000); by[d] = (by[d] ?? 0) + 1; }
    });
    const t = process.hrtime.bigint();
    for (const { openedAt, open, high, low, close, volume } of bars) run.feed(minuteBar(openedAt, { open, high, low, close, volume }));
    const us = Number(process.hrtime.bigint() - t) / 1e3 / bars.length;
    const perDay = Object.values(by);
    const idx = new Map(bars.map((b, i) => [b.openedAt, i]));
    const fwd = [15, 60, 240].map((n) => { let s = 0, w = 0, c = 0; approvals.forEach((a, k) => { const i = idx.get(out[k]! - 60_000)!; const f = bars[i + n]; if (!f) return; const r = (f.close / bars[i]!.close - 1) * (a.recommended_action === 'BUY' ? 1 : -1); s += r; c++; if (r > 0) w++; }); return `${n}m ${(s / c * 1e4).toFixed(1)}bp win ${(w / c).toFixed(2)}`; });
    console.log(file, symbol, 'days', bars.length / 1440, 'approvals/day', approvals.length / (bars.length / 1440), 'max', Math.max(...perDay), 'days with', perDay.length, 'us', us.toFixed(1), fwd, counts);
  }
});
