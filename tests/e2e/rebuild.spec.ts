import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay, type ReplayResult } from '@moon/backtesting';
import { add, evolveOrder, evolvePortfolio, isTerminal, type OrderState, type PortfolioState } from '@moon/domain';
import { MemoryEventStore } from '@moon/kernel';
import { writeCandles } from '../support/market';
import { platformConfig, recordedInputs, replayOptions } from '../support/recorded';

describe('Aggregates from their streams', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-rebuild-'));
  const store = new MemoryEventStore();
  let result: ReplayResult;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    const file = join(folder, 'candles.csv');
    const symbols = [{ symbol: 'BTCUSDT', price: 40_000 }];
    writeCandles(file, {
      seed: 5,
      minutes: 1_500,
      start: Date.UTC(2024, 4, 1),
      symbols,
      crashAt: 1_000,
      crashShare: 0.3,
    });
    const portfolio = {
      name: 'main',
      marginMode: 'isolated',
      instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 3 }],
      positions: [{ instrument: 'BTC.HYPERLIQUID', side: 'long', quantity: '1', price: '40000' }],
    };
    const opening = { minScore: 55, minConfidence: 0.3, minIntervalMs: 60_000 };
    const platform = platformConfig({
      portfolios: [portfolio],
      consensus: { minimumAgents: 1, threshold: 55, cooldownMs: 0 },
      agents: { trading: { opening }, chart: { opening } },
    });
    result = await replay({ ...replayOptions(await recordedInputs([file]), platform), store });
  });

  it('[EVS-6] a portfolio rebuilt from its stream alone is the owner’s portfolio to the last digit', async () => {
    let state: PortfolioState | undefined;
    for await (const { event } of store.readStream('portfolio-main')) state = evolvePortfolio(state, event);
    const [portfolio] = result.portfolios;
    expect(result.fills).toBeGreaterThan(20);
    expect(state).toMatchObject({ cash: portfolio?.cash, realisedPnl: portfolio?.realisedPnl, fees: portfolio?.fees });
    expect(Object.values(state?.positions ?? {}).map(({ quantity }) => quantity)).toEqual(
      portfolio?.positions.map(({ quantity }) => quantity),
    );
    expect(Object.keys(state?.reservations ?? {})).toEqual([]);
  });

  it('[EVS-6] every order rebuilt from its stream alone ends, and the orders’ fees are the portfolio’s', async () => {
    const streams = new Set<string>();
    for await (const { event, streamId } of store.readLog(0))
      if (event.type === 'order.requested' && streamId) streams.add(streamId);
    expect(streams.size).toBe(result.orders);
    let fees = '0';
    for (const stream of streams) {
      let order: OrderState | undefined;
      let version = 0;
      for await (const row of store.readStream(stream)) {
        expect(row.version).toBe((version += 1));
        order = evolveOrder(order, row.event as never);
      }
      expect(order && isTerminal(order.status)).toBe(true);
      fees = add(fees, order?.fees ?? '0');
    }
    expect(fees).toBe(result.portfolios[0]?.fees);
  });

  it('[US2-6] every consensus window has exactly one outcome, with its votes, weights, scores and threshold', async () => {
    const open = new Set<string>();
    let outcomes = 0;
    for await (const { event } of store.readLog(0)) {
      if (event.type === 'consensus.opened') open.add(event.data.windowId);
      if (event.type !== 'trade.consensus_approved' && event.type !== 'signal.consensus_failed') continue;
      const { decision, windowId } = event.data;
      expect(decision.votes.length).toBeGreaterThan(0);
      for (const vote of decision.votes) expect(vote.weight).toBeGreaterThan(0);
      expect(decision.threshold).toBe(55);
      if (event.type === 'trade.consensus_approved')
        expect(Math.max(decision.scores.BUY ?? 0, decision.scores.SELL ?? 0)).toBe(event.data.consensus_score);
      if (open.delete(windowId)) outcomes += 1;
    }
    expect(outcomes).toBeGreaterThan(20);
    expect(open.size).toBeLessThanOrEqual(1);
  });
});
