import type { AnyEvent, EmitData } from '@moon/events';
import { answerByRules, ensemble, minuteBar } from '../agent-kit/testing';
import { createConsensusSaga } from '../consensus';
import { testEvent, type Handler } from '../handler';
import { instrumentForFeed } from '../instruments';
import { createBarBuilder, createSentimentNormaliser, minuteQuoteVolume } from '../normalisers';
import { readSharedCandles, readSharedCsv } from '../testing/shared-data';
import { createChartAgent } from './chart';
import { createCorrelationAgent } from './correlation';
import { createFundingAgent } from './funding';
import { createSentimentAgent } from './sentiment';
import { createTradingAgent, type TradingAgentState } from './trading';

const DAY_BARS = 1_440;
type Signal = EmitData<'signal.generated'>;

/** What the voting agents and the consensus made of a run. */
interface Tally {
  bars: number;
  inferences: number;
  openings: Signal[];
  answers: Signal[];
  approvals: EmitData<'trade.consensus_approved'>[];
  failures: EmitData<'signal.consensus_failed'>[];
  errors: number;
}

/** Runs inputs through `before` (normalisers, other agents), the four voting agents, the rule-based model and the consensus. */
function run(token: string, inputs: Iterable<AnyEvent>, before: Handler[] = []): Tally {
  const tally: Tally = { bars: 0, inferences: 0, openings: [], answers: [], approvals: [], failures: [], errors: 0 };
  const voters = [createTradingAgent(), createSentimentAgent(), createFundingAgent(), createChartAgent()];
  const platform = ensemble(token, [...before, ...voters, createConsensusSaga()], answerByRules, (event) => {
    if (event.type === 'bar.closed') tally.bars++;
    if (event.type === 'inference.requested') tally.inferences++;
    if (event.type === 'signal.generated')
      (event.data.windowId === undefined ? tally.openings : tally.answers).push(event.data);
    if (event.type === 'trade.consensus_approved') tally.approvals.push(event.data);
    if (event.type === 'signal.consensus_failed') tally.failures.push(event.data);
    if (event.type === 'signal.error') tally.errors++;
  });
  for (const input of inputs) platform.feed(input);
  return tally;
}

function* candles(path: string, symbol: string, token: string): Generator<AnyEvent> {
  for (const { openedAt, symbol: of, ...rest } of readSharedCandles(path)) {
    if (of === symbol) yield minuteBar(openedAt, rest, { token, instrument: `${symbol}.BINANCE-SPOT` });
  }
}

/** Merges by time; at one instant bars come first (rule 1). */
function merge(...feeds: Iterable<AnyEvent>[]): AnyEvent[] {
  const phase = (event: AnyEvent): number => (event.type === 'bar.closed' ? 0 : 1);
  return feeds.flatMap((feed) => [...feed]).sort((a, b) => a.occurredAt - b.occurredAt || phase(a) - phase(b));
}

function sentimentRows(path: string, where: { token: string; source: string; scale: [number, number] }): AnyEvent[] {
  const { token, source, scale } = where;
  return readSharedCsv(path)
    .filter((row) => row.symbol === token)
    .map((row) => {
      const timestamp = Number(row.timestamp_ms);
      const reading = {
        score: Number(row.score),
        scaleMin: scale[0],
        scaleMax: scale[1],
        text: row.text_or_source ?? '',
      };
      return testEvent('market.sentiment', timestamp, { token, source, ...reading, timestamp });
    });
}

const perDay = (tally: Tally, count: number): number => count / (tally.bars / DAY_BARS);
const of = (signals: readonly Signal[], agent: string): Signal[] => signals.filter((signal) => signal.agent === agent);

describe('trading and chart agent on one-minute candles, without sentiment and funding', () => {
  it.each([
    ['the crash of May 2021', 'candles/BTC-ETH-1m-20210419-20210531-crash.csv.gz', 'BTCUSDT', 42],
    ['the calmest week', 'candles/BTC-ETH-1m-20230102-20230108-calm.csv.gz', 'BTCUSDT', 7],
  ])('[AGT-5] %s: they speak now and then, and agree a few times a day', (_, path, symbol, days) => {
    const tally = run('BTC', candles(path, symbol, 'BTC'));
    expect(tally.bars).toBeGreaterThanOrEqual(days * DAY_BARS);
    for (const agent of ['trading_agent', 'chart_agent']) {
      const openings = of(tally.openings, agent);
      expect(perDay(tally, openings.length)).toBeGreaterThan(2);
      expect(perDay(tally, openings.length)).toBeLessThan(30);
      expect(new Set(openings.map((one) => one.action))).toEqual(new Set(['BUY', 'SELL']));
    }
    expect(perDay(tally, tally.inferences)).toBeGreaterThan(24);
    expect(perDay(tally, tally.inferences)).toBeLessThan(200);
    expect(perDay(tally, tally.approvals.length)).toBeGreaterThan(0.5);
    expect(perDay(tally, tally.approvals.length)).toBeLessThan(12);
    expect(new Set(tally.approvals.map((one) => one.recommended_action))).toEqual(new Set(['BUY', 'SELL']));
    expect(tally.failures.length).toBeGreaterThan(tally.approvals.length / 2);
    expect(
      [...of(tally.answers, 'sentiment_agent'), ...of(tally.answers, 'funding_agent')].every(
        (one) => one.confidence === 0,
      ),
    ).toBe(true);
    expect(tally.errors).toBe(0);
  });
});

describe('the sentiment agent on recorded sentiment', () => {
  it('[AGT-5] April and May 2021 with fear and greed: greed votes BUY before the crash, fear votes SELL after it', () => {
    const fear = sentimentRows('sentiment/fear-greed-2018-2022.csv.gz', {
      token: 'BTC',
      source: 'fear_greed_index',
      scale: [0, 100],
    });
    const bars = [...candles('candles/BTC-ETH-1m-20210419-20210531-crash.csv.gz', 'BTCUSDT', 'BTC')];
    const [from, to] = [bars[0]?.occurredAt ?? 0, bars[bars.length - 1]?.occurredAt ?? 0];
    const days = fear.filter((event) => event.occurredAt >= from && event.occurredAt <= to);
    const tally = run('BTC', merge(bars, days), [createSentimentNormaliser()]);
    const votes = of(tally.answers, 'sentiment_agent');
    const actions = (since: number, until: number): Set<string> =>
      new Set(votes.filter((vote) => vote.timestamp >= since && vote.timestamp < until).map((vote) => vote.action));
    expect(actions(Date.UTC(2021, 4, 7), Date.UTC(2021, 4, 12))).toEqual(new Set(['BUY', 'HOLD']));
    expect(actions(Date.UTC(2021, 4, 20), to)).toEqual(new Set(['SELL']));
    expect(Math.max(...votes.map((vote) => vote.confidence))).toBeLessThan(0.8);
    expect(perDay(tally, tally.approvals.length)).toBeGreaterThan(1);
    expect(perDay(tally, tally.approvals.length)).toBeLessThan(20);
  });

  it('[US5-2] June 2026 with TradingView ideas: correlated new moves raise confidence, and above 80 % the size, within bounds', () => {
    const raised = ['BTC', 'ETH'].flatMap((token) => {
      const ideas = sentimentRows('sentiment/tradingview-ideas-20260601-20260615.csv.gz', {
        token,
        source: 'tradingview',
        scale: [-1, 1],
      });
      const inputs = merge(candles('candles/BTC-ETH-1m-20260601-20260615.csv.gz', `${token}USDT`, token), ideas);
      const tally = run(token, inputs, [createSentimentNormaliser(), createCorrelationAgent()]);
      expect(of(tally.answers, 'sentiment_agent').some((vote) => vote.confidence > 0.5)).toBe(true);
      return of([...tally.openings, ...tally.answers], 'trading_agent').filter(
        (signal) => signal.context?.correlation !== undefined,
      );
    });
    expect(raised.length).toBeGreaterThan(1);
    for (const signal of raised) {
      const before = Number(signal.context?.confidenceBeforeCorrelation);
      expect(signal.confidence).toBeCloseTo(Math.min(1, before * 1.25), 3);
      expect(signal.sizeFactor ?? 1).toBeCloseTo(1 + (0.5 * Math.max(0, signal.confidence - 0.8)) / 0.2, 2);
      expect(signal.action).toBe(signal.context?.correlationDirection === 'up' ? 'BUY' : 'SELL');
    }
    expect(raised.some((signal) => (signal.sizeFactor ?? 1) > 1)).toBe(true);
  });
});

describe('the funding agent on recorded funding', () => {
  it('[AGT-5] March to June 2025: negative funding of SOL is read as crowded shorts, neutral funding of BTC as nothing', () => {
    const rows = readSharedCsv('funding/BTC-ETH-SOL-20250306-20250615.csv.gz');
    const views = (token: string): string[] => {
      const agent = createFundingAgent();
      const instrument = instrumentForFeed('binance-usdm', `${token}USDT`)?.id ?? '';
      const updates = rows
        .filter((row) => row.symbol === `${token}USDT`)
        .map((row) => {
          const timestamp = Number(row.timestamp_ms);
          const terms = { rate: Number(row.rate), intervalHours: 8, status: 'settled', settlesAt: timestamp } as const;
          return testEvent('funding.update', timestamp, { token, instrument, ...terms, timestamp });
        });
      const openings: string[] = [];
      const platform = ensemble(
        token,
        [agent],
        () => null,
        (event) => {
          if (event.type === 'signal.generated') openings.push(event.data.action);
        },
      );
      for (const update of updates) platform.feed(update);
      return openings;
    };
    expect(rows.length).toBe(834);
    expect(new Set(views('SOL'))).toEqual(new Set(['BUY']));
    expect(views('BTC')).toEqual([]);
  });
});

describe('the trading agent on recorded trades', () => {
  it('[AGT-5] the Binance spot trades of 2024-08-08, as bars built from them, give the same figures as the recorded candles', () => {
    const path = 'candles/BTC-ETH-1m-20240808.csv.gz';
    const tape = Date.UTC(2024, 7, 8, 23, 55);
    const all = [...candles(path, 'BTCUSDT', 'BTC')];
    const history = all
      .filter((bar) => bar.occurredAt <= tape)
      .map((bar): AnyEvent => ({ ...bar, headers: { warmup: true } }) as AnyEvent);
    const volume = minuteQuoteVolume();
    const ticks = readSharedCsv('trades/binance-spot-BTC-ETH-20240808-2354.csv.gz')
      .filter((row) => row.symbol === 'BTCUSDT')
      .map((row) => {
        const [timestamp, price, size] = [Number(row.timestamp_ms), Number(row.price), Number(row.size)];
        const instrument = 'BTCUSDT.BINANCE-SPOT';
        const data = {
          token: 'BTC',
          instrument,
          price,
          size,
          timestamp,
          volume_1m: volume(instrument, timestamp, price * size),
        };
        return testEvent('price.tick', timestamp, { ...data, kind: 'last', side: row.side === 'buy' ? 'buy' : 'sell' });
      });
    const figures = (inputs: AnyEvent[], before: Handler[]): TradingAgentState['features'][] => {
      const agent = createTradingAgent();
      const seen: TradingAgentState['features'][] = [];
      const platform = ensemble('BTC', [...before, agent], answerByRules, () => undefined);
      for (const input of inputs) {
        platform.feed(input);
        seen.push(platform.stateOf(agent).features);
      }
      return seen;
    };
    const nextDay = Date.UTC(2024, 7, 9);
    const after = testEvent('price.tick', nextDay + 1, {
      ...(ticks.at(-1) as AnyEvent & { type: 'price.tick' }).data,
      timestamp: nextDay + 1,
    });
    const fromTrades = figures([...merge(history, ticks), after], [createBarBuilder()]).at(-1);
    const fromCandles = figures(all, []).at(-1);
    expect(fromTrades).not.toBeNull();
    expect(fromTrades).toEqual(fromCandles);
  });
});
