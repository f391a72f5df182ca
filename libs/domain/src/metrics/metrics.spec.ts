import { days, DAY, fill, origin, position, recording, START, trade } from './fixtures/recordings';
import { computeMetrics, ledgerBalance, reasonFor } from '.';

const HOUR = 3_600_000;
const BENCHMARK = { instrument: 'BTCUSDT.BINANCE-SPOT', startPrice: 100, days: [] };

describe('computeMetrics', () => {
  it('[US3-5] takes returns from the close of each UTC day, the first against the start equity', () => {
    const metrics = computeMetrics(recording('1000', days(['1100', '990', '1089'])));
    const returns = [0.1, -0.1, 0.1];
    metrics.daily.forEach((day, index) => expect(day.return).toBeCloseTo(returns[index] ?? 0, 12));
    expect(metrics.totalReturn).toBeCloseTo(0.089, 12);
    expect(metrics.cagr).toBeCloseTo(1.089 ** (365 / 3) - 1, 4);
    expect(metrics.maxDrawdownDaily).toBeCloseTo(-0.1, 12);
    expect(metrics.daily.map(({ underwater }) => underwater)).toEqual([0, (0.99 - 1.1) / 1.1, (1.089 - 1.1) / 1.1]);
    expect(metrics.ulcerIndex).toBeCloseTo(Math.sqrt((0.1 ** 2 + 0.01 ** 2) / 3), 12);
    expect(metrics).toMatchObject({ netProfit: '89', winDays: 2, lossDays: 1, underwaterTime: 2 / 3 });
  });

  it('[US3-5] deposits are no profit and withdrawals no loss', () => {
    const closes = days(['1500', '1650', '650', '715'], ['500', '0', '-1000', '0']);
    const metrics = computeMetrics(recording('1000', closes));
    const returns = [0, 0.1, 0, 0.1];
    metrics.daily.forEach((day, index) => expect(day.return).toBeCloseTo(returns[index] ?? 0, 12));
    expect(metrics.totalReturn).toBeCloseTo(0.21, 12);
    expect(metrics).toMatchObject({ flows: '-500', netProfit: '215', maxDrawdown: 0, maxDrawdownDaily: 0 });
    expect(metrics.byMonth).toMatchObject([{ period: '2022-01', days: 4, pnl: '215', flow: '-500' }]);
    expect(metrics.byMonth[0]?.return).toBeCloseTo(0.21, 12);
  });

  it('[US3-5] a day of which a deposit was lost loses no more than there was', () => {
    const metrics = computeMetrics(recording('100', days(['550'], ['1000'])));
    expect(metrics.daily[0]?.return).toBeCloseTo(-0.5, 12);
  });

  it('[US3-5] a day without an observation counts: it closes where the day before closed', () => {
    const [first, , third] = days(['1010', '0', '1020.1']);
    const closes = [first!, third!];
    const metrics = computeMetrics(recording('1000', closes, { endsAt: START + 5 * DAY }));
    expect(metrics.daily.map(({ equity }) => equity)).toEqual(['1010', '1010', '1020.1', '1020.1', '1020.1']);
    expect(metrics).toMatchObject({ days: 5, winRateDays: 0.4 });
    expect(metrics.cagr).toBeCloseTo(1.0201 ** 73 - 1, 9);
  });

  it('[US3-5] lists falls with their days, the deepest first, and one that lasts', () => {
    const metrics = computeMetrics(recording('100', days(['95', '90', '101', '120', '60', '90'])));
    expect(metrics.drawdowns).toEqual([
      {
        depth: -0.5,
        peakDay: START + 3 * DAY,
        troughDay: START + 4 * DAY,
        recoveryDay: null,
        fallDays: 1,
        recoveryDays: null,
        lengthDays: 2,
      },
      {
        depth: expect.closeTo(-0.1, 12) as number,
        peakDay: START - DAY,
        troughDay: START + DAY,
        recoveryDay: START + 2 * DAY,
        fallDays: 2,
        recoveryDays: 1,
        lengthDays: 3,
      },
    ]);
    expect(metrics.longestDrawdownDays).toBe(3);
    expect(reasonFor(metrics, 'drawdowns[0].recoveryDay')).toContain('made good');
  });

  it('[US3-5] figures of trades are those of their net results', () => {
    const trades = [
      trade({ id: 'a', grossPnl: '31', fees: '1', closedAt: START + HOUR, mae: -5, mfe: 40 }),
      trade({ id: 'b', grossPnl: '1', fees: '2', closedAt: START + 3 * HOUR, side: 'short' }),
      trade({ id: 'c', grossPnl: '-10', funding: '1', closedAt: START + 2 * HOUR, token: 'ETH', mae: -12 }),
      trade({ id: 'd', grossPnl: '1', fees: '1', closedAt: START + 4 * HOUR }),
    ];
    const metrics = computeMetrics(recording('1000', days(['1020']), { trades }));
    expect(metrics).toMatchObject({
      trades: 4,
      wins: 1,
      losses: 2,
      winRate: 0.25,
      profitFactor: 3,
      closedPnl: '20',
      grossProfit: '30',
      grossLoss: '-10',
      expectancy: 5,
      expectancyRatio: 1,
      averageWin: 30,
      averageLoss: -5,
      payoffRatio: 6,
      bestTrade: '30',
      worstTrade: '-9',
      longestWinStreak: 1,
      longestLossStreak: 2,
      meanHoldingMs: 2.5 * HOUR,
      medianHoldingMs: 2.5 * HOUR,
      shortestHoldingMs: HOUR,
      longestHoldingMs: 4 * HOUR,
      meanHoldingWinsMs: HOUR,
      meanHoldingLossesMs: 2.5 * HOUR,
      averageMae: -4.25,
      worstMae: -12,
      bestMfe: 40,
    });
    expect(metrics.byToken.map(({ key, pnl, winRate }) => [key, pnl, winRate])).toEqual([
      ['BTC', '29', 1 / 3],
      ['ETH', '-9', 0],
    ]);
    expect(metrics.bySide.map(({ key, trades: count, pnl }) => [key, count, pnl])).toEqual([
      ['long', 3, '21'],
      ['short', 1, '-1'],
    ]);
  });

  it('[US3-5] an agent gets its share of what its votes opened, the last one the rest, nobody the rest of the trades', () => {
    const thirds = ['a', 'b', 'c'].map((agent) => ({ agent, share: 1 / 3 }));
    const trades = [
      trade({ grossPnl: '100', entry: origin(thirds) }),
      trade({ grossPnl: '-1', entry: origin([{ agent: 'a', share: 1 }]) }),
      trade({ grossPnl: '5' }),
    ];
    const open = [position({ unrealisedPnl: '3', fees: '1', entry: origin([{ agent: 'b', share: 1 }]) })];
    const { byAgent } = computeMetrics(recording('1000', days(['1106']), { trades, open }));
    expect(
      byAgent.map(({ agent, trades: count, closedPnl, openPnl, pnl }) => [agent, count, closedPnl, openPnl, pnl]),
    ).toEqual([
      ['a', 2, '32.333333333333', '0', '32.333333333333'],
      ['b', 1, '33.333333333333', '2', '35.333333333333'],
      ['c', 1, '33.333333333334', '0', '33.333333333334'],
      [null, 1, '5', '0', '5'],
    ]);
    expect(byAgent[0]?.weight).toBeCloseTo(4 / 3, 12);
  });

  it('[US3-5] sums fees, funding and turnover exactly and relates exposure to time', () => {
    const fills = [
      fill({ quantity: '0.1', price: '46783.91', fee: '2.3391955' }),
      fill({ quantity: '3', price: '0.1', notional: '1000', fee: '0.1' }),
    ];
    const fundings = [{ at: START, token: 'BTC', instrument: 'X', rate: 0.0001, amount: '-0.3' }];
    const over = {
      fills,
      fundings,
      startsAt: START,
      endsAt: START + 10 * HOUR,
      exposedMs: 4 * HOUR,
      meanExposure: 0.2,
    };
    const metrics = computeMetrics(recording('1000', days(['1000']), over));
    expect(metrics).toMatchObject({
      fees: '2.4391955',
      funding: '-0.3',
      turnover: '5678.391',
      exposureTime: 0.4,
      meanExposure: 0.2,
      fills: 2,
    });
    expect(metrics.turnoverRatio).toBeCloseTo(5.678391, 12);
    expect(metrics.feeRate).toBeCloseTo(2.4391955 / 5678.391, 15);
  });

  it('[US3-5] splits by day, by week from Monday and by month', () => {
    const equities = Array.from({ length: 40 }, (_, index) => String(1001 + index));
    const trades = [
      trade({ grossPnl: '7', closedAt: START + 2 * DAY }),
      trade({ grossPnl: '-1', closedAt: START + 40 * DAY }),
    ];
    const metrics = computeMetrics(recording('1000', days(equities), { trades }));
    expect(metrics.byDay).toHaveLength(40);
    expect(metrics.byWeek.map(({ period, days: count, pnl }) => [period, count, pnl]).slice(0, 3)).toEqual([
      ['2021-12-27', 2, '2'],
      ['2022-01-03', 7, '7'],
      ['2022-01-10', 7, '7'],
    ]);
    expect(metrics.byWeek[1]).toMatchObject({ trades: 1, wins: 1, closedPnl: '7' });
    expect(metrics.byMonth.map(({ period, pnl, trades: count }) => [period, pnl, count])).toEqual([
      ['2022-01', '31', 1],
      ['2022-02', '9', 1],
    ]);
    const [line] = metrics.monthlyReturns;
    expect(line?.year).toBe(2022);
    expect(line?.months[0]).toBeCloseTo(0.031, 12);
    expect(line?.months.slice(2)).toEqual(new Array(10).fill(null));
    expect(line?.total).toBeCloseTo(0.04, 12);
    expect(metrics.rollingSharpe).toHaveLength(11);
    expect(metrics.rollingSharpe[0]?.day).toBe(START + 29 * DAY);
  });

  it('[US3-5] measures buy and hold, beta and alpha by the same days', () => {
    const prices = [110, 99, 118.8];
    const benchmark = { ...BENCHMARK, days: prices.map((close, index) => ({ day: START + index * DAY, close })) };
    // Half the benchmark's return and a constant 0.1 % a day on top of it.
    let equity = 1000;
    const own = [0.1, -0.1, 0.2].map((market) => String((equity *= 1 + market / 2 + 0.001)));
    const { benchmark: measured } = computeMetrics(recording('1000', days(own)), { benchmark });
    expect(measured?.totalReturn).toBeCloseTo(0.188, 12);
    expect(measured?.finalEquity).toBeCloseTo(1188, 9);
    expect(measured?.maxDrawdownDaily).toBeCloseTo(-0.1, 12);
    expect(measured?.beta).toBeCloseTo(0.5, 12);
    expect(measured?.alpha).toBeCloseTo(0.365, 12);
    expect(measured?.correlation).toBeCloseTo(1, 12);
    expect(measured?.daily.map(({ equity: worth }) => Math.round(worth))).toEqual([1100, 990, 1188]);
    expect(() => computeMetrics(recording('1', days(['1'])), { benchmark: { ...BENCHMARK, startPrice: 0 } })).toThrow(
      'BTCUSDT.BINANCE-SPOT',
    );
  });

  it('[US3-5] without trades or movement figures are null with a reason, never 0', () => {
    const idle = computeMetrics(recording('1000', days(['1000', '1000'])), { benchmark: BENCHMARK });
    for (const path of ['sharpe', 'sortino', 'calmar', 'omega', 'winRate', 'profitFactor', 'payoffRatio', 'bestTrade'])
      expect([path, idle[path as 'sharpe'], typeof reasonFor(idle, path)]).toEqual([path, null, 'string']);
    expect(idle.benchmark).toMatchObject({ beta: null, alpha: null, sharpe: null });
    expect(reasonFor(idle, 'benchmark.beta')).toContain('do not vary');
    expect(idle).toMatchObject({ totalReturn: 0, cagr: 0, maxDrawdown: 0, trades: 0, volatility: 0 });
  });

  it('[US3-5] after a ruin returns are undefined, and every null of a result has its reason', () => {
    const ruined = computeMetrics(recording('100', days(['50', '-10', '-20'])), { benchmark: BENCHMARK });
    expect(ruined).toMatchObject({ sharpe: null, cagr: null, totalReturn: -1.2, maxDrawdown: -1.2 });
    expect(ruined.undefinedBecause.sharpe).toBe('There is no equity to earn on from 2022-01-03 on.');
    const flowing = recording('100', days(['50', '0', '70', '80'], ['0', '-50', '0', '0']));
    const samples = [
      ruined,
      computeMetrics(flowing, { benchmark: BENCHMARK }),
      computeMetrics(recording('100', [])),
      computeMetrics(recording('0', days(['0', '100'], ['0', '100']), { trades: [trade({ grossPnl: '1' })] })),
      computeMetrics(recording('100', days(Array.from({ length: 50 }, () => '100')))),
    ];
    for (const sample of samples) {
      expect(nullsOf(sample).filter((path) => !reasonFor(sample, path))).toEqual([]);
      const paths = nullsOf(sample).map((path) => path.replaceAll(/\[\d+\]/g, '[]'));
      const stale = Object.keys(sample.undefinedBecause).filter(
        (path) => !paths.includes(path.replaceAll(/\[\d+\]/g, '[]')),
      );
      expect(stale).toEqual([]);
    }
  });

  it('refuses days that are out of order', () => {
    const [first, second] = days(['1', '2']);
    expect(() => computeMetrics(recording('1', [second!, first!]))).toThrow('days[1] of portfolio main');
    expect(() => computeMetrics(recording('1', [{ ...first!, day: START + 1 }]))).toThrow('00:00 UTC');
  });
});

describe('ledgerBalance', () => {
  const trades = [trade({ id: 'a', grossPnl: '10', fees: '1.5', funding: '-0.25' })];
  const open = [position({ unrealisedPnl: '-3', realisedPnl: '1', fees: '0.5', funding: '0.1' })];
  const fills = [fill({ fee: '1.5' }), fill({ fee: '0.5' })];
  const fundings = [{ at: START, token: 'BTC', instrument: 'X', rate: 0, amount: '-0.15' }];
  const sound = recording('100', days(['205.85'], ['100']), { trades, open, fills, fundings });

  it('[US3-5] start + flows + trades + open positions = final equity, to the last unit', () => {
    expect(ledgerBalance(sound)).toEqual({
      startEquity: '100',
      flows: '100',
      closedPnl: '8.25',
      openPnl: '-2.4',
      finalEquity: '205.85',
      difference: '0',
      feesDifference: '0',
      fundingDifference: '0',
      curveDifference: '0',
      unevenTrades: [],
      balanced: true,
    });
  });

  it('[US3-5] names what does not add up', () => {
    const off = { ...sound, finalEquity: '205.850000000001', fills: fills.slice(1), fundings: [] };
    const uneven = { ...off, trades: [{ ...trades[0]!, netPnl: '8.24' }] };
    expect(ledgerBalance(uneven)).toMatchObject({
      difference: '-0.010000000001',
      feesDifference: '-1.5',
      fundingDifference: '0.15',
      curveDifference: '-0.000000000001',
      unevenTrades: ['a'],
      balanced: false,
    });
  });
});

/** Paths of everything that is null. */
function nullsOf(value: unknown, path = ''): string[] {
  if (value === null) return [path];
  if (Array.isArray(value)) return value.flatMap((one, index) => nullsOf(one, `${path}[${index}]`));
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, one]) => nullsOf(one, path === '' ? key : `${path}.${key}`));
}
