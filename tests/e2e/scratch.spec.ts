jest.mock('../../libs/domain/src/projections', () => {
  const { Type } = require('@sinclair/typebox');
  return { portfolioProjectionConfigSchema: Type.Object({}), createPortfolioProjection: () => ({ name: 'projection/portfolio', role: 'projection', partitionedBy: 'portfolio', consumes: [], initialState: () => ({}), handle: () => undefined }) };
}, { virtual: true });
import { Value } from '@sinclair/typebox/value';
import { platformConfigSchema, instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { MemoryEventStore } from '@moon/kernel';
import { createVenueEngine } from '@moon/backtesting';
import { MarketFileSource } from '@moon/infra';
import { startRecordedRun } from '../../apps/standalone/src/run/recorded-run';

it('runs the crash', async () => {
  const platform = Value.Default(platformConfigSchema, {
    portfolios: [
      { name: 'main', marginMode: 'isolated', deposit: '100000', instruments: [{ instrument: 'BTC.HYPERLIQUID', leverage: 3 }, { instrument: 'ETH.HYPERLIQUID', leverage: 3 }],
        positions: [{ instrument: 'BTC.HYPERLIQUID', side: 'long', quantity: '2', price: '56150' }] },
    ],
  }) as any;
  const source = await MarketFileSource.open({
    files: [{ path: '/work/shared/data/candles/BTC-ETH-1m-20210419-20210531-crash.csv.gz' }],
    resolve: (venue, symbol) => { const i = instrumentForFeed(venue, symbol); if (!i) throw new Error('unknown ' + venue + symbol); return { instrument: i.id, token: i.token, fundingIntervalHours: i.fundingIntervalHours }; },
    minuteVolume: minuteQuoteVolume,
    headers: { mode: 'recorded' },
    ...(process.env.END ? { to: Date.parse(process.env.END) } : {}),
  });
  const store = new MemoryEventStore();
  const venue = createVenueEngine({ priceSources: { 'BTC.HYPERLIQUID': 'BTCUSDT.BINANCE-SPOT', 'ETH.HYPERLIQUID': 'ETHUSDT.BINANCE-SPOT' } } as any) as any;
  venue.name = 'paper'; venue.marketCauses = () => ({});
  const t = Date.now();
  const run = await startRecordedRun({
    runId: 'x', codeVersion: '0', platform, store, venue, isVenueRemote: false, source, refusedByReason: source.refusedByReason,
    feedInstruments: source.instruments, startsAt: source.startsAt, modelLatency: { minMs: 100, maxMs: 300 }, orderTimeToLiveMs: 15000, speed: null, checkpointMs: 1e9,
    onFailure: (m) => console.log(m),
  });
  const { result } = await run.run();
  console.log(JSON.stringify(result, null, 1), Date.now() - t, 'ms');
}, 600000);
