import { fromNumber } from '../money';
import { readSharedCsv } from '../testing/shared-data';
import { instrumentForFeed, isOnLot, isOnTick } from '.';

const TRADES: [file: string, source: string][] = [
  ['binance-spot-BTC-ETH-20240808-2354', 'binance-spot'],
  ['binance-usdm-BTC-ETH-20240808-2354', 'binance-usdm'],
  ['binance-usdm-large-aggtrades-20250126-20250206', 'binance-usdm'],
  ['binance-coinm-BTC-ETH-20240808-2354', 'binance-coinm'],
  ['kraken-XBTUSDT-20251110', 'kraken'],
];

describe('instruments against the recordings', () => {
  it.each(TRADES)('every trade of %s has digits that its instrument (%s) allows', (file, source) => {
    const wrong = readSharedCsv(`trades/${file}.csv.gz`).filter((row) => {
      const instrument = instrumentForFeed(source, row.symbol ?? '');
      if (instrument === undefined) return true;
      return !isOnTick(instrument, fromNumber(Number(row.price))) || !isOnLot(instrument, fromNumber(Number(row.size)));
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it.each(['binance-20250126-20250206', 'binance-20250618-20250624'])(
    'every liquidated symbol of %s has an instrument',
    (file) => {
      const symbols = new Set(readSharedCsv(`liquidations/${file}.csv.gz`).map((row) => row.symbol ?? ''));
      expect(symbols.size).toBeGreaterThan(100);
      expect([...symbols].filter((symbol) => instrumentForFeed('binance-usdm', symbol) === undefined)).toEqual([]);
    },
  );

  it('every coin of the HyperLiquid tape is in the table, and its sizes are on the lot', () => {
    const rows = readSharedCsv('trades/hyperliquid-20230227-20230427.csv.gz');
    const wrong = rows.filter((row) => {
      const instrument = instrumentForFeed('hyperliquid', row.symbol ?? '');
      return (
        instrument === undefined || instrument.maxLeverage < 5 || !isOnLot(instrument, fromNumber(Number(row.size)))
      );
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });
});
