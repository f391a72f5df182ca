import { findInstrument, type Instrument } from '@moon/domain';
import { bench, brief, margin, PERP } from '../testing/engine-bench';
import { funding, tick } from '../testing/venue-desk';
import { completeVenueConfig } from './config';
import { createFeeModel } from './models/fee';

const DAY = 86_400_000;
const USDM = 'BTCUSDT.BINANCE-USDM';
const instrument = (id: string): Instrument => findInstrument(id) as Instrument;
const feesOf = (tiers: NonNullable<Parameters<typeof completeVenueConfig>[0]>['fees']) =>
  createFeeModel(completeVenueConfig({ fees: tiers }).fees);

describe('fees by traded volume', () => {
  it.each([
    [0, '0.00045', '0.00015'],
    [5_000_000, '0.00045', '0.00015'],
    [5_000_001, '0.0004', '0.00012'],
    [30_000_000, '0.00035', '0.00008'],
    [200_000_000, '0.0003', '0.00004'],
    [3_000_000_000, '0.00026', '0'],
    [8_000_000_000, '0.00024', '0'],
  ])('HyperLiquid at %d: taker %s, maker %s', (volume, taker, maker) => {
    const model = feesOf({ tiers: 'venue' });
    expect(model.windowDays(instrument(PERP))).toBe(14);
    expect(model.rate(instrument(PERP), 'taker', volume)).toBe(taker);
    expect(model.rate(instrument(PERP), 'maker', volume)).toBe(maker);
  });

  it('Binance has a table of its own over 30 days; a rate that is named stands above a table', () => {
    expect(feesOf({ tiers: 'venue' }).windowDays(instrument(USDM))).toBe(30);
    expect(feesOf({ tiers: 'venue' }).rate(instrument(USDM), 'taker', 20_000_000)).toBe('0.0004');
    expect(feesOf({ tiers: 'venue', takerBps: 5 }).rate(instrument(USDM), 'taker', 20_000_000)).toBe('0.0005');
    expect(feesOf({}).rate(instrument(USDM), 'taker', 20_000_000)).toBe('0.0005');
  });

  it('fall with the volume of the whole days before, and rise again when it is two weeks old', () => {
    const tiers = {
      windowDays: 14,
      tiers: [
        { above: 0, makerBps: 2, takerBps: 5 },
        { above: 100_000, makerBps: 1, takerBps: 3 },
      ],
    };
    const { engine, submit } = bench({ fees: { tiers } }, margin({ deposit: '1000000' }));
    const feeAt = (sentAt: number): string => {
      engine.market(tick(PERP, sentAt, 40_000));
      const side = (sentAt / DAY) % 2 === 0 ? 'buy' : 'sell';
      return submit(PERP, side, '3', { sentAt }).at(-1)?.fee ?? '';
    };
    expect(feeAt(0)).toBe('60');
    // Today's own volume does not count yet; tomorrow it does.
    expect(feeAt(1_000)).toBe('60');
    expect(feeAt(DAY)).toBe('36');
    expect(feeAt(14 * DAY)).toBe('36');
    expect(feeAt(40 * DAY)).toBe('60');
  });

  it('refuses a table that does not rise from 0', () => {
    const table = (...above: number[]) => ({
      windowDays: 1,
      tiers: above.map((from) => ({ above: from, makerBps: 1, takerBps: 1 })),
    });
    expect(() => completeVenueConfig({ fees: { tiers: table(5) } })).toThrow(/begin at 0/);
    expect(() => completeVenueConfig({ fees: { tiers: table(0, 10, 10) } })).toThrow(/rise/);
  });
});

describe('a liquidation', () => {
  const fall = (instrumentId: string, settlementAsset: string, config = {}) => {
    const spec = margin({ settlementAsset, deposit: '1000', leverage: { [instrumentId]: 20 } });
    const { engine, submit } = bench({ fees: { takerBps: 5 }, ...config }, spec);
    engine.market(tick(instrumentId, 0, 40_000));
    submit(instrumentId, 'buy', '0.4');
    // Maintenance is judged at the mark; this one is between maintenance and backstop.
    for (let price = 39_900; price > 36_000; price -= 20) {
      const liquidation = engine
        .market(tick(instrumentId, 40_000 - price, price))
        .find(({ kind }) => kind === 'liquidation');
      if (liquidation) return { liquidation, cash: engine.books('main').cash };
    }
    throw new Error('Nothing was liquidated.');
  };

  it('pays the taker fee alone at HyperLiquid', () => {
    const { liquidation } = fall(PERP, 'USDC');
    const value = 0.4 * Number(liquidation.price);
    expect(Number(liquidation.fee)).toBeCloseTo(value * 0.0005, 9);
  });

  it('pays the fee that the configuration names besides, and at most what is left', () => {
    const { liquidation } = fall(PERP, 'USDC', { margin: { liquidationFeeBps: 10 } });
    expect(Number(liquidation.fee)).toBeCloseTo(0.4 * Number(liquidation.price) * 0.0015, 9);
    const dear = fall(PERP, 'USDC', { margin: { liquidationFeeBps: 1_000 } });
    expect(Number(dear.cash)).toBeCloseTo(0, 6);
    expect(Number(dear.cash)).toBeGreaterThanOrEqual(-1e-9);
  });

  it('pays the clearance fee of Binance there', () => {
    const { liquidation } = fall(USDM, 'USDT');
    const value = 0.4 * Number(liquidation.price);
    expect(Number(liquidation.fee)).toBeGreaterThan(value * 0.0005 + 1);
  });
});

describe('funding', () => {
  it('is paid hourly or every eight hours as the venue settles it, on the oracle price', () => {
    const { engine, submit } = bench({}, margin({ deposit: '100000' }));
    engine.market(tick(PERP, 0, 40_000));
    engine.market(tick(PERP, 0, 40_000, { kind: 'mark' }));
    submit(PERP, 'buy', '1');
    engine.market(tick(PERP, 10, 41_000, { kind: 'oracle' }));
    const hourly = engine.market(funding(PERP, 3_600_000, 0.0001));
    expect(hourly).toMatchObject([{ kind: 'funding', price: '41000', amount: '-4.1' }]);
    const eight = funding(PERP, 8 * 3_600_000, 0.0008, 42_000);
    const reports = engine.market({ ...eight, data: { ...eight.data, intervalHours: 8 } } as typeof eight);
    expect(reports).toMatchObject([{ kind: 'funding', price: '42000', amount: '-33.6' }]);
    expect(brief(engine.market(eight))).toEqual([]);
  });
});
