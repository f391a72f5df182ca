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

  it('[AGT-5] goes with the cascades of 2025-01-27: longs of Dogecoin, Bitcoin and Ether are forced out', () => {
    expect(said('liquidations/binance-20250126-20250206.csv.gz', 'follow')).toEqual([]);
  });

  it('[AGT-5] goes against the cascades of 2025-06-23 once each is over', () => {
    expect(said('liquidations/binance-20250618-20250624.csv.gz', 'fade')).toEqual([]);
  });
});
