let nextTid = 100_000_000_000_000;

/** A trade as the venue sends it; fields may be spoilt by `over`. */
export function rawTrade(time: number, over: Record<string, unknown> = {}): Record<string, unknown> {
  nextTid += 1;
  const users = ['0xe9ed7e16612d676df804f5aecd16e1f9bf9ec9dd', '0x6802b4267f7f2bf7003dcf993c51542245b38329'];
  return {
    coin: 'BTC',
    side: 'B',
    px: '105056.0',
    sz: '0.00219',
    hash: `0x${'0'.repeat(64)}`,
    time,
    tid: nextTid,
    users,
    ...over,
  };
}

export function tradesMessage(...data: unknown[]): object {
  return { channel: 'trades', data };
}

export function bboMessage(time: number, bid: string | null, ask: string | null, coin = 'BTC'): object {
  const level = (px: string | null): object | null => (px === null ? null : { px, sz: '1.5', n: 3 });
  return { channel: 'bbo', data: { coin, time, bbo: [level(bid), level(ask)] } };
}

export function contextMessage(over: Record<string, unknown> = {}, coin = 'BTC'): object {
  const ctx = {
    ...{ dayNtlVlm: '1169046.29406', dayBaseVlm: '81657.9', funding: '0.0000125', impactPxs: ['105050.0', '105060.0'] },
    ...{
      markPx: '105052.0',
      midPx: '105055.5',
      openInterest: '688.11',
      oraclePx: '105040.0',
      premium: '0.0003',
      prevDayPx: '104000.0',
    },
    ...over,
  };
  return { channel: 'activeAssetCtx', data: { coin, ctx } };
}

/** Candles as `candleSnapshot` gives them, one for each minute that opens in [from, to). */
export function rawCandles(from: number, to: number, coin = 'BTC'): Record<string, unknown>[] {
  const candles: Record<string, unknown>[] = [];
  for (let t = Math.ceil(from / 60_000) * 60_000; t < to; t += 60_000) {
    const o = 105_000 + ((t / 60_000) % 50);
    const prices = { o: `${o}.0`, h: `${o + 10}.0`, l: `${o - 10}.0`, c: `${o + 3}.0` };
    candles.push({ t, T: t + 59_999, s: coin, i: '1m', ...prices, v: '12.5', n: 189 });
  }
  return candles;
}

export const META = {
  universe: [
    { name: 'BTC', szDecimals: 5, maxLeverage: 40, marginTableId: 56 },
    { name: 'ETH', szDecimals: 4, maxLeverage: 25, marginTableId: 55 },
    { name: 'LOOM', szDecimals: 1, maxLeverage: 3, isDelisted: true, marginMode: 'strictIsolated', onlyIsolated: true },
    { name: 'SMALL', szDecimals: 0, maxLeverage: 3, marginTableId: 3 },
  ],
  marginTables: [
    [
      55,
      {
        description: 'tiered 25x',
        marginTiers: [
          { lowerBound: '0.0', maxLeverage: 25 },
          { lowerBound: '100000000.0', maxLeverage: 15 },
        ],
      },
    ],
    [
      56,
      {
        description: 'tiered 40x',
        marginTiers: [
          { lowerBound: '0.0', maxLeverage: 40 },
          { lowerBound: '150000000.0', maxLeverage: 20 },
        ],
      },
    ],
  ],
  collateralToken: 0,
};
