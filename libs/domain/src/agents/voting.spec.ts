import { validateEvent, type AnyEvent, type EmitData, type EventType } from '@moon/events';
import { answerByRules, ensemble, minuteBar } from '../agent-kit/testing';
import { createConsensusSaga } from '../consensus';
import { testEvent } from '../handler';
import { num15 } from '../money';
import { createChartAgent } from './chart';
import { createFundingAgent } from './funding';
import { createSentimentAgent } from './sentiment';
import { createTradingAgent } from './trading';

const START = Date.UTC(2024, 0, 2);
const MINUTE = 60_000;
const VOTERS = ['chart_agent', 'funding_agent', 'sentiment_agent', 'trading_agent'];

/** The four voting agents, the consensus saga and the rule-based model, wired as the platform wires them. */
function platform() {
  const seen: AnyEvent[] = [];
  const handlers = [
    createTradingAgent(),
    createSentimentAgent(),
    createFundingAgent(),
    createChartAgent(),
    createConsensusSaga(),
  ];
  const run = ensemble('BTC', handlers, answerByRules, (event) => {
    validateEvent(event);
    seen.push(event);
  });
  const of = <T extends EventType>(type: T): EmitData<T>[] =>
    seen.filter((event) => event.type === type).map((event) => event.data as unknown as EmitData<T>);
  return { feed: (events: readonly AnyEvent[]) => events.forEach((event) => run.feed(event)), of };
}

function bars(from: number, to: number, slope: number): AnyEvent[] {
  const path = (minute: number) => 50_000 + slope * Math.max(0, minute) + 10 * Math.sin(minute / 3);
  return Array.from({ length: to - from }, (_, i) => {
    const [open, close] = [path(from + i - 1), path(from + i)].map((price) => Math.round(price * 100) / 100) as [
      number,
      number,
    ];
    const range = { high: Math.max(open, close) + 3, low: Math.min(open, close) - 3 };
    return minuteBar(START + (from + i) * MINUTE, { open, close, ...range });
  });
}

function sentiment(at: number, bullish: number): AnyEvent {
  const facts = { token: 'BTC', bullish_pct: bullish, velocity: 0, confidence: 0.8, source: 'tradingview' };
  return testEvent('sentiment.update', at, { ...facts, timestamp: at });
}

function funding(at: number, ratePerHour: number): AnyEvent {
  const facts = { token: 'BTC', instrument: 'BTC.HYPERLIQUID', intervalHours: 1, status: 'predicted' } as const;
  return testEvent('funding.update', at, { ...facts, rate: ratePerHour, settlesAt: at, timestamp: at });
}

/** The hourly rate whose annual funding is this much above neutral; 0.2 = 20 %: longs lead without crowding. */
const excessAprPerHour = (excess: number): number => num15((0.1095 + excess) / 8_760);

describe('the voting agents and the consensus', () => {
  it('[US2-1] given a rise, bullish sentiment and mild funding, then the four agents’ signals inside the window are one decision: BUY', () => {
    const { feed, of } = platform();
    const hourly = Array.from({ length: 7 }, (_, hour) => START + hour * 60 * MINUTE).flatMap((at) => [
      sentiment(at, 75),
      funding(at, excessAprPerHour(0.2)),
    ]);
    feed([...hourly, ...bars(0, 420, 8)].sort((a, b) => a.occurredAt - b.occurredAt));
    const counted = of('trade.consensus_approved').map((one) => one.decision.votes.filter((vote) => vote.counted));
    const complete = counted.find((votes) => votes.length === VOTERS.length);
    expect(complete?.map((vote) => vote.agent).sort()).toEqual(VOTERS);
    expect(complete?.map((vote) => vote.action)).toEqual(['BUY', 'BUY', 'BUY', 'BUY']);
  });

  it('given a clear trend with trading and chart alone, then they reach the threshold without the two that have no view', () => {
    const { feed, of } = platform();
    feed(bars(0, 420, -8));
    const [approved] = of('trade.consensus_approved');
    expect(approved).toMatchObject({ recommended_action: 'SELL' });
    expect([...(approved?.contributing_agents ?? [])].sort()).toEqual(['chart_agent', 'trading_agent']);
    const silent = approved?.decision.votes.filter((vote) => ['sentiment_agent', 'funding_agent'].includes(vote.agent));
    expect(silent).toMatchObject([{ confidence: 0 }, { confidence: 0 }]);
  });

  it('given the same rise but crowded longs and bearish crowds, then no BUY is approved', () => {
    const { feed, of } = platform();
    const hourly = Array.from({ length: 7 }, (_, hour) => START + hour * 60 * MINUTE).flatMap((at) => [
      sentiment(at, 8),
      funding(at, excessAprPerHour(1.5)),
    ]);
    feed([...hourly, ...bars(0, 420, 8)].sort((a, b) => a.occurredAt - b.occurredAt));
    expect(of('trade.consensus_approved').filter((one) => one.recommended_action === 'BUY')).toEqual([]);
    expect(of('signal.consensus_failed').length).toBeGreaterThan(0);
  });

  it('given a market that goes nowhere, then nothing is approved', () => {
    const { feed, of } = platform();
    feed(bars(0, 420, 0));
    expect(of('consensus.opened').length).toBeLessThanOrEqual(6);
    expect(of('trade.consensus_approved')).toEqual([]);
  });
});
