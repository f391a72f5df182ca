import type { AnyEvent } from '@moon/events';
import { driveHandler, testEvent } from '../../handler';
import { instrumentForFeed } from '../../instruments';
import { createLiquidationNormaliser } from '../../normalisers';
import { readSharedCsv } from '../../testing/shared-data';
import { createLiquidationAgent } from '.';

/** The recorded forced orders as `liquidation.event`, through the normaliser. */
function liquidations(path: string): AnyEvent[] {
  const raw = readSharedCsv(path).map((row) => {
    const instrument = instrumentForFeed('binance-usdm', row.symbol ?? '');
    if (instrument === undefined) throw new Error(`No instrument for ${row.symbol}.`);
    const timestamp = Number(row.timestamp_ms);
    const data = {
      token: instrument.token,
      instrument: instrument.id,
      price: Number(row.price),
      size: Number(row.size),
    };
    return testEvent('market.liquidation', timestamp, {
      ...data,
      side: row.side === 'buy' ? 'buy' : 'sell',
      timestamp,
    });
  });
  const { emitted } = driveHandler(createLiquidationNormaliser(), raw, { until: Date.UTC(2025, 11, 31) });
  return emitted.flatMap((one) => (one.type === 'liquidation.event' ? [testEvent(one.type, one.at, one.data)] : []));
}

describe('liquidation agent on recorded Binance liquidations', () => {
  const said = (path: string, signals: 'follow' | 'fade'): string[] =>
    driveHandler(createLiquidationAgent({ signals }), liquidations(path))
      .of('signal.generated')
      .map((one) => `${new Date(one.timestamp).toISOString().slice(0, 16)} ${one.token} ${one.action} ${one.score}`);

  it('[AGT-5] goes with the cascades of 2025-01-27: longs of Ether, Dogecoin and Bitcoin are forced out', () => {
    expect(said('liquidations/binance-20250126-20250206.csv.gz', 'follow')).toEqual([
      '2025-01-27T16:54 ETH SELL 62.12',
      '2025-01-27T16:54 DOGE SELL 83.9',
      '2025-01-27T17:08 BTC SELL 74.55',
    ]);
  });

  it('[AGT-5] goes against the cascades of 2025-06-23 once each is over', () => {
    expect(said('liquidations/binance-20250618-20250624.csv.gz', 'fade')).toEqual([
      '2025-06-23T21:17 ETH SELL 70.16',
      '2025-06-23T21:18 BTC SELL 94.72',
      '2025-06-23T21:29 ETH BUY 76.11',
    ]);
  });
});
