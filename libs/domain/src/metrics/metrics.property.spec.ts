import fc from 'fast-check';
import { add, fromNumber, mul, sub } from '../money';
import { DAY, days, fill, origin, position, recording, START, trade } from './fixtures/recordings';
import {
  combineRecordings,
  computeMetrics,
  conditionalValueAtRisk,
  DrawdownWatch,
  ledgerBalance,
  maxDrawdown,
  omega,
  sharpe,
  sortino,
  totalReturn,
  valueAtRisk,
  volatility,
} from '.';

/** In steps of a hundredth of a basis point: what is smaller is rounding of prices, and quotients of it overflow. */
const returns = fc.array(
  fc.integer({ min: -500_000, max: 500_000 }).map((step) => step / 1_000_000),
  { minLength: 2, maxLength: 60 },
);
const amount = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => fromNumber(value / 10_000));
const cost = fc.integer({ min: 0, max: 10_000 }).map((value) => fromNumber(value / 10_000));
const booked = fc.record({
  token: fc.constantFrom('BTC', 'ETH', 'SOL'),
  side: fc.constantFrom('long' as const, 'short' as const),
  gross: amount,
  fees: cost,
  funding: amount,
  day: fc.integer({ min: 0, max: 69 }),
  shares: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
});

/** A run of 70 days whose books balance: each trade lies within its day, what is held was bought at the end. */
const runs = fc
  .record({
    trades: fc.array(booked, { maxLength: 30 }),
    open: fc.array(booked, { maxLength: 3 }),
    flows: fc.array(amount, { maxLength: 5 }),
  })
  .map(({ trades: closed, open: held, flows }) => {
    const base = '1000000';
    const entryOf = (shares: number[]) => origin(shares.map((share, index) => ({ agent: `agent-${index}`, share })));
    const trades = closed.map(({ token, side, gross, fees, funding, day, shares }, index) => {
      const openedAt = START + day * DAY;
      const terms = { id: `${index}`, token, side, openedAt, closedAt: openedAt + index, entry: entryOf(shares) };
      return trade({ ...terms, grossPnl: gross, fees, funding });
    });
    const open = held.map(({ token, side, gross, fees, funding, shares }) =>
      position({ token, side, unrealisedPnl: gross, realisedPnl: fees, fees, funding, entry: entryOf(shares) }),
    );
    let equity = base;
    const equities = Array.from({ length: 70 }, (_, day) => {
      for (const { netPnl, openedAt } of trades) if (openedAt === START + day * DAY) equity = add(equity, netPnl);
      equity = add(equity, flows[day] ?? '0');
      if (day === 69) for (const { gross, funding } of held) equity = add(add(equity, gross), funding);
      return equity;
    });
    const all = [...trades, ...open];
    return recording(base, days(equities, flows), {
      trades,
      open,
      fills: all.map(({ fees, token }) => fill({ fee: fees, token })),
      fundings: all.map(({ funding, token }) => ({ at: START, token, instrument: 'X', rate: 0, amount: funding })),
    });
  });

describe('properties of metrics', () => {
  it('[US3-5] parts sum to the whole, exactly: tokens, sides, agents, days, weeks, months', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const metrics = computeMetrics(run);
        expect(ledgerBalance(run)).toMatchObject({ balanced: true, difference: '0' });
        expect(add(metrics.closedPnl, metrics.openPnl)).toBe(metrics.netProfit);
        expect(add(metrics.grossProfit, metrics.grossLoss)).toBe(metrics.closedPnl);
        const sumOf = <K extends string>(rows: Record<K, string>[], field: K) =>
          rows.reduce((all, row) => add(all, row[field]), '0');
        for (const rows of [metrics.byToken, metrics.bySide, metrics.byAgent]) {
          expect(sumOf(rows, 'pnl')).toBe(metrics.netProfit);
          expect(sumOf(rows, 'closedPnl')).toBe(metrics.closedPnl);
          expect(sumOf(rows, 'openPnl')).toBe(metrics.openPnl);
        }
        for (const rows of [metrics.byToken, metrics.bySide]) {
          expect(sumOf(rows, 'fees')).toBe(metrics.fees);
          expect(sumOf(rows, 'funding')).toBe(metrics.funding);
          expect(add(sub(sumOf(rows, 'grossPnl'), metrics.fees), metrics.funding)).toBe(metrics.netProfit);
        }
        for (const rows of [metrics.byDay, metrics.byWeek, metrics.byMonth]) {
          expect(sumOf(rows, 'pnl')).toBe(metrics.netProfit);
          expect(sumOf(rows, 'closedPnl')).toBe(metrics.closedPnl);
          expect(sumOf(rows, 'flow')).toBe(metrics.flows);
          expect(rows.reduce((count, row) => count + row.trades, 0)).toBe(metrics.trades);
          const grown = rows.reduce((growth, row) => growth * (1 + (row.return ?? Number.NaN)), 1);
          expect(grown - 1).toBeCloseTo(metrics.totalReturn ?? Number.NaN, 9);
        }
        expect(metrics.distribution.reduce((count, bin) => count + bin.count, 0)).toBe(metrics.days);
        expect(metrics.distribution.length).toBeLessThanOrEqual(51);
      }),
      { numRuns: 25 },
    );
  });

  it('[US3-5] profit factor × losses = wins; win rate × trades = wins; growth over the run is the total return', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const {
          profitFactor,
          grossProfit,
          grossLoss,
          winRate,
          trades,
          wins,
          cagr,
          totalReturn: total,
          days: n,
        } = computeMetrics(run);
        if (profitFactor !== null) expect(profitFactor * -Number(grossLoss)).toBeCloseTo(Number(grossProfit), 6);
        if (winRate !== null) expect(winRate * trades).toBeCloseTo(wins, 9);
        expect((1 + (cagr ?? Number.NaN)) ** (n / 365)).toBeCloseTo(1 + (total ?? Number.NaN), 9);
      }),
      { numRuns: 25 },
    );
  });

  it('[US3-5] the size of the account changes no ratio', () => {
    fc.assert(
      fc.property(returns, fc.constantFrom('0.001', '7', '1000000'), (steps, factor) => {
        let equity = 1000;
        const equities = steps.map((step) => fromNumber((equity *= 1 + step)));
        const small = computeMetrics(recording('1000', days(equities)));
        const scaled = equities.map((value) => mul(value, factor));
        const large = computeMetrics(recording(mul('1000', factor), days(scaled)));
        for (const figure of [
          'totalReturn',
          'maxDrawdown',
          'maxDrawdownDaily',
          'volatility',
          'valueAtRisk',
          'ulcerIndex',
        ] as const)
          expect(large[figure]).toBeCloseTo(small[figure] ?? Number.NaN, 9);
      }),
      { numRuns: 25 },
    );
  });

  it('[US3-5] the order of returns matters to drawdowns only', () => {
    fc.assert(
      fc.property(returns, (steps) => {
        const turned = [...steps].reverse();
        const close = (a: number | null, b: number | null) => {
          if (a === null || b === null) expect(a).toBe(b);
          else expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(a)));
        };
        close(totalReturn(turned), totalReturn(steps));
        close(volatility(turned, 365), volatility(steps, 365));
        close(valueAtRisk(turned), valueAtRisk(steps));
        close(omega(turned), omega(steps));
        const [ratio, other] = [sharpe(steps, 365), sharpe(turned, 365)];
        if (ratio !== null && Math.abs(ratio) < 1e6) close(other, ratio);
      }),
    );
    expect(maxDrawdown([0.1, -0.1, -0.1])).not.toBeCloseTo(maxDrawdown([-0.1, 0.1, -0.1]), 3);
  });

  it('[US3-5] drawdowns lie in [-1, 0], the daily one is no deeper than the observed one, the shortfall no milder than the risk', () => {
    fc.assert(
      fc.property(fc.array(returns, { minLength: 1, maxLength: 10 }), (intraday) => {
        const watch = new DrawdownWatch(START, 1000);
        let equity = 1000;
        const closes = intraday.map((steps, day) => {
          for (const step of steps) watch.observe(START + day * DAY, (equity *= 1 + step));
          return String(fromNumber(equity));
        });
        const metrics = computeMetrics(recording('1000', days(closes), { worst: watch.worst() }));
        expect(metrics.maxDrawdown).toBeGreaterThanOrEqual(-1);
        expect(metrics.maxDrawdown).toBeLessThanOrEqual(0);
        expect(metrics.maxDrawdownDaily! - metrics.maxDrawdown!).toBeGreaterThanOrEqual(-1e-12);
        const deepest = metrics.drawdowns[0]?.depth ?? 0;
        expect(deepest).toBeCloseTo(metrics.maxDrawdownDaily ?? Number.NaN, 12);
        const daily = metrics.daily.map((day) => day.return);
        expect(conditionalValueAtRisk(daily)!).toBeLessThanOrEqual(valueAtRisk(daily)! + 1e-12);
        if (metrics.sharpe !== null && metrics.sortino !== null)
          expect(Math.sign(sortino(daily, 365)!)).toBe(Math.sign(metrics.sharpe));
      }),
      { numRuns: 25 },
    );
  });

  it('[US3-5] a total over portfolios is the sum of its parts, exactly, and none over different assets', () => {
    fc.assert(
      fc.property(runs, runs, (left, right) => {
        const later = {
          ...right,
          startsAt: START + DAY,
          days: right.days.map((close) => ({ ...close, day: close.day + DAY })),
        };
        const combined = combineRecordings('total', [left, later]);
        if (combined.recording === null) throw new Error(combined.undefinedBecause);
        const [a, b, both] = [left, later, combined.recording].map((part) => computeMetrics(part));
        for (const field of [
          'netProfit',
          'closedPnl',
          'openPnl',
          'fees',
          'funding',
          'flows',
          'turnover',
          'finalEquity',
        ] as const)
          expect(both?.[field]).toBe(add(a?.[field] ?? '', b?.[field] ?? ''));
        expect(both?.days).toBe(71);
        expect(both).toMatchObject({ maxDrawdown: null, exposureTime: null, calmar: null });
        expect(both?.undefinedBecause.maxDrawdown).toContain('several portfolios');
        expect(ledgerBalance(combined.recording).balanced).toBe(true);
      }),
      { numRuns: 10 },
    );
    const one = recording('100', days(['110']));
    expect(combineRecordings('total', [one]).recording).toEqual({ ...one, portfolio: 'total' });
    expect(combineRecordings('total', [one, { ...one, settlementAsset: 'BTC' }])).toEqual({
      recording: null,
      undefinedBecause: 'The portfolios settle in BTC, USDT: there is no total without rates between them.',
    });
    expect(combineRecordings('total', []).recording).toBeNull();
  });

  it('[US3-5] a total has the sum of the curves and the exposure of all equity', () => {
    const close = (equity: string, exposure: number) => [{ day: START, equity, flow: '0', exposure }];
    const a = recording('100', close('100', 1), {
      curve: [
        { at: START, equity: 100 },
        { at: START + 2, equity: 90 },
      ],
    });
    const b = recording('300', close('300', 0.2), {
      curve: [
        { at: START + 1, equity: 300 },
        { at: START + 2, equity: 330 },
      ],
    });
    const { recording: both } = combineRecordings('total', [a, b]);
    expect(both?.curve).toEqual([
      { at: START, equity: 400 },
      { at: START + 1, equity: 400 },
      { at: START + 2, equity: 420 },
    ]);
    expect(both?.days).toEqual([{ day: START, equity: '400', flow: '0', exposure: 0.4 }]);
  });
});
