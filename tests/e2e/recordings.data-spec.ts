import { join } from 'node:path';
import { replay, type ReplayResult } from '@moon/backtesting';
import type { PlatformConfig } from '@moon/domain';
import type { MarketFileSource } from '@moon/infra';
import { MemoryEventStore } from '@moon/kernel';
import type { AnyEvent } from '@moon/events';
import { platformConfig, recordedInputs, replayOptions } from '../support/recorded';

const DATA = join(process.env.MOON_SHARED ?? '../shared', 'data');
const file = (name: string): string => join(DATA, name);

interface Twice {
  result: ReplayResult;
  again: ReplayResult;
  source: MarketFileSource;
}

async function twice(
  platform: PlatformConfig,
  paths: readonly string[],
  onEvent?: (event: AnyEvent) => void,
  range = {},
): Promise<Twice> {
  const [source, second] = [await recordedInputs(paths, range), await recordedInputs(paths, range)];
  const result = await replay({ ...replayOptions(source, platform), onEvent });
  const again = await replay(replayOptions(second, platform));
  return { result, again, source };
}

/** Every row of every file is an event (two of a candle), a repeat, a conflict or a refusal; and every event is in the log. */
function expectAccounted({ result, source }: Twice): void {
  let events = 0;
  for (const report of source.reports) {
    const perRow = report.kind === 'candles' ? 2 : 1;
    expect(report.events).toBe((report.rows - report.repeats - report.conflicts - report.refused) * perRow);
    events += report.events;
  }
  const { eventsByType } = result;
  const inputs = ['bar.opened', 'bar.closed', 'price.tick', 'funding.update', 'market.liquidation', 'market.sentiment'];
  const derived = source.reports.every((report) => report.kind !== 'trades')
    ? 0
    : (eventsByType['bar.opened'] ?? 0) + (eventsByType['bar.closed'] ?? 0);
  expect(inputs.reduce((sum, type) => sum + (eventsByType[type] ?? 0), 0) - derived).toBe(events);
}

function expectSame({ result, again }: Twice): void {
  expect(again.stateHash).toBe(result.stateHash);
  expect(again.eventHash).toBe(result.eventHash);
}

const LEVERAGED = {
  name: 'leveraged',
  marginMode: 'isolated',
  deposit: '60000',
  instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 3 }],
  positions: [{ instrument: 'BTC.HYPERLIQUID', side: 'long', quantity: '2', price: '56150' }],
  subscriptions: { consensus: false },
  limits: { drawdown_total: 0.9, drawdown_day: 0.9 },
};

/** The days around 19 May 2021; the whole file is run by the long suite. */
const CRASH = { from: '2021-05-11', to: '2021-05-24' };

describe('Recorded markets through the whole platform', () => {
  it('[RSK-2] [RSK-4] [RSK-5] the crash of May 2021: alert, critical, HALT, force close, position closed, all clear — three portfolios, one of them halted; twice the same', async () => {
    const platform = platformConfig({
      portfolios: [
        LEVERAGED,
        {
          name: 'trader',
          instruments: [
            { instrument: 'BTC.HYPERLIQUID', leverage: 2 },
            { instrument: 'ETH.HYPERLIQUID', leverage: 2 },
          ],
        },
        {
          name: 'idle',
          instruments: [{ instrument: 'ETH.HYPERLIQUID', leverage: 1 }],
          subscriptions: { consensus: false },
        },
      ],
    });
    const story: string[] = [];
    const run = await twice(
      platform,
      [file('candles/BTC-ETH-1m-20210419-20210531-crash.csv.gz')],
      (event) => {
        if (event.key !== 'leveraged' || (event.type === 'trade.force_close' && event.data.stage !== 'closing')) return;
        if (
          [
            'risk.alert',
            'risk.critical',
            'halt.raised',
            'trade.force_close',
            'position.closed',
            'risk.ok',
            'halt.lifted',
          ].includes(event.type)
        )
          story.push(event.type);
      },
      CRASH,
    );
    expectSame(run);
    const critical = story.indexOf('risk.critical');
    expect(story.slice(0, critical)).toContain('risk.alert');
    const after = story.slice(critical);
    const order = ['risk.critical', 'halt.raised', 'trade.force_close', 'position.closed', 'risk.ok', 'halt.lifted'];
    const places = order.map((type) => after.indexOf(type));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
    const [leveraged, trader, idle] = run.result.portfolios;
    expect(leveraged?.positions).toEqual([]);
    expect(trader?.fees).not.toBe('0');
    expect(idle).toMatchObject({ cash: '100000', positions: [], halts: [] });
  });

  it('[AGT-5] trades of 2024-08-08 become bars, bars become views; twice the same', async () => {
    const platform = platformConfig({ portfolios: [{ name: 'main' }] });
    const run = await twice(platform, [file('trades/binance-usdm-BTC-ETH-20240808-2354.csv.gz')]);
    expectSame(run);
    expectAccounted(run);
    expect(run.result.eventsByType['price.tick']).toBe(35_389);
    expect(run.result.eventsByType['bar.closed']).toBeGreaterThan(5);
  });

  it('[US5-1] [US5-2] June 2026 with TradingView ideas: correlation is detected and raises signals; twice the same', async () => {
    const platform = platformConfig({ portfolios: [{ name: 'main' }] });
    const raised: AnyEvent[] = [];
    const paths = [
      'candles/BTC-ETH-1m-20260601-20260615.csv.gz',
      'sentiment/tradingview-ideas-20260601-20260615.csv.gz',
    ].map(file);
    const run = await twice(platform, paths, (event) => {
      if (event.type === 'signal.generated' && (event.data.sizeFactor ?? 1) > 1) raised.push(event);
    });
    expectSame(run);
    expectAccounted(run);
    expect(run.result.eventsByType['correlation.detected']).toBeGreaterThanOrEqual(3);
    expect(raised.length).toBeGreaterThan(0);
    expect(run.result.fills).toBeGreaterThan(0);
  });

  it('liquidations, funding and candles of other venues run together, and every refusal has its reason', async () => {
    const platform = platformConfig({ portfolios: [{ name: 'main' }] });
    const paths = [
      'candles/BTC-ETH-1m-20250126-20250206.csv.gz',
      'liquidations/binance-20250126-20250206-as-recorded.csv.gz',
      'trades/binance-usdm-large-aggtrades-20250126-20250206.csv.gz',
    ].map(file);
    const source = await recordedInputs(paths);
    const store = new MemoryEventStore();
    const result = await replay({ ...replayOptions(source, platform), store });
    const liquidations = source.reports.find((report) => report.kind === 'liquidations');
    expect(liquidations).toMatchObject({ rows: 3_510, repeats: 1_673 });
    expect(result.eventsByType['liquidation.event']).toBeGreaterThan(100);
    const refused = Object.values(result.refusedByReason).reduce((sum, count) => sum + count, 0);
    expect(refused).toBe(source.reports.reduce((sum, report) => sum + report.refused + report.conflicts, 0));
  });
});
