import { div, toNumber } from '../money';
import { readShared, readSharedCandles } from '../testing/shared-data';
import { DAY, fill, position, recording, trade } from './fixtures/recordings';
import { computeMetrics, DrawdownWatch, ledgerBalance, type ClosedTrade, type DayClose, type RecordedFill } from '.';

type Convention = 'next_open' | 'signal_close' | 'tick_next' | 'tick_same';

interface Reference {
  results: Record<Convention, Record<string, number | string>>;
  library_check_next_open_daily: Record<string, Record<string, number>>;
}

/** What fills, marks and decides: times in ms, prices in hundredths. */
interface Observation {
  at: number;
  /** Price at which a signal of the observation before it is filled. */
  open: number;
  close: number;
}

const candles = readSharedCandles('candles/BTCUSDT-1m-2022.csv.gz');

const bars: Observation[] = candles.map(({ openedAt, open, close }) => ({
  at: openedAt,
  open: Math.round(open * 100),
  close: Math.round(close * 100),
}));

function ticks(): Observation[] {
  const all: Observation[] = [];
  for (const { openedAt, open, high, low, close } of candles) {
    [open, high, low, close].forEach((value, index) => {
      const price = Math.round(value * 100);
      all.push({ at: openedAt + index * 15_000, open: price, close: price });
    });
  }
  return all;
}

/** Amounts are whole numbers of 0.000001 USDT, in which 5 bps of a price of hundredths come out even. */
const exact = (micros: number) => div(String(micros), '1000000', 6);

/** The rule of the reference, written down once more, and its recording: no code of the platform runs in it but the watch. */
function run(observations: readonly Observation[], startUnits: number, sameBar: boolean) {
  const watch = new DrawdownWatch(observations[0]?.at ?? 0, startUnits);
  const days: DayClose[] = [];
  const fills: RecordedFill[] = [];
  const trades: ClosedTrade[] = [];
  let [cash, held, entry, entryAt] = [startUnits * 1_000_000, 0, 0, 0];
  let [short, long, state, pending] = [0, 0, 0, 0];
  const feeOf = (price: number) => price * 5;
  const trading = (side: number, price: number, at: number) => {
    const quantity = held === 0 ? 1 : 2;
    cash -= side * quantity * price * 10_000 + quantity * feeOf(price);
    const amounts = {
      quantity: String(quantity),
      price: div(String(price), '100', 2),
      fee: exact(quantity * feeOf(price)),
    };
    fills.push(fill({ id: `fill-${fills.length}`, at, side: side > 0 ? 'buy' : 'sell', ...amounts }));
    if (held !== 0)
      trades.push(
        trade({
          id: `trade-${trades.length}`,
          side: held > 0 ? 'long' : 'short',
          openedAt: entryAt,
          closedAt: at,
          entryPrice: entry / 100,
          exitPrice: price / 100,
          grossPnl: exact(held * (price - entry) * 10_000),
          fees: exact(feeOf(entry) + feeOf(price)),
        }),
      );
    [held, entry, entryAt] = [side, price, at];
  };
  observations.forEach(({ at, open, close }, index) => {
    if (pending !== 0) trading(pending, open, at);
    pending = 0;
    short += close - (observations[index - 20]?.close ?? 0);
    long += close - (observations[index - 50]?.close ?? 0);
    const sign = index < 49 ? 0 : Math.sign(5 * short - 2 * long);
    if (sign !== 0 && sign !== state) {
      if (state !== 0 && sameBar) trading(sign, close, at);
      else if (state !== 0) pending = sign;
      state = sign;
    }
    const equity = cash + held * close * 10_000;
    watch.observe(at, equity / 1_000_000);
    const day = Math.floor(at / DAY) * DAY;
    if (day + DAY <= (observations[index + 1]?.at ?? Number.POSITIVE_INFINITY))
      days.push({ day, equity: exact(equity), flow: '0', exposure: (Math.abs(held) * close * 10_000) / equity });
  });
  const last = observations.at(-1) ?? { at: 0, close: 0 };
  return recording(String(startUnits), days, {
    startsAt: observations[0]?.at ?? 0,
    endsAt: last.at,
    finalCash: exact(cash),
    observations: observations.length,
    worst: watch.worst(),
    trades,
    fills,
    open: [
      position({
        side: held > 0 ? 'long' : 'short',
        unrealisedPnl: exact(held * (last.close - entry) * 10_000),
        fees: exact(feeOf(entry)),
      }),
    ],
  });
}

describe('SMA 20/50 on BTCUSDT 2022', () => {
  const reference = JSON.parse(readShared('reference/sma-2022.json')) as Reference;
  const benchmark = {
    instrument: 'BTCUSDT.BINANCE-SPOT',
    startPrice: (bars[0]?.open ?? 0) / 100,
    days: [...new Map(bars.map(({ at, close }) => [Math.floor(at / DAY) * DAY, close / 100]))].map(([day, close]) => ({
      day,
      close,
    })),
  };

  it.each<Convention>(['next_open', 'signal_close', 'tick_next', 'tick_same'])(
    '[US3-5] %s: every figure of the reference, and books that balance to the last unit',
    (convention) => {
      const expected = reference.results[convention];
      const onTicks = convention.startsWith('tick');
      const recorded = run(
        onTicks ? ticks() : bars,
        expected.start as number,
        convention === 'signal_close' || convention === 'tick_same',
      );
      const metrics = computeMetrics(recorded, { benchmark });

      expect(metrics).toMatchObject({
        observations: expected.observations,
        fills: expected.fills,
        trades: expected.closed_trades,
        wins: expected.wins,
        losses: expected.losses,
        finalEquity: expected.final_equity_decimal,
        fees: expected.fees_decimal,
        closedPnl: expected.closed_pnl_net_decimal,
        days: 365,
      });
      expect(recorded.finalCash).toBe(expected.final_cash_decimal);
      expect(Number(metrics.bestTrade)).toBe(Number(expected.best_trade));
      expect(Number(metrics.worstTrade)).toBe(Number(expected.worst_trade));
      expect(metrics.totalReturn).toBeCloseTo(expected.total_return as number, 14);
      expect(metrics.maxDrawdown).toBeCloseTo(expected.max_drawdown as number, 12);
      expect(metrics.maxDrawdownAmount).toBeCloseTo(-(expected.max_drawdown_usdt as number), 6);
      expect(metrics.maxDrawdownDaily).toBeCloseTo(expected.max_drawdown_daily as number, 12);
      expect(metrics.sharpe).toBeCloseTo(expected.sharpe_daily_365 as number, 10);
      expect(metrics.volatility).toBeCloseTo(expected.volatility_ann as number, 12);
      expect(metrics.winRate).toBeCloseTo(expected.win_rate as number, 14);
      expect(metrics.profitFactor).toBeCloseTo(expected.profit_factor as number, 12);
      expect(ledgerBalance(recorded)).toMatchObject({ difference: '0', curveDifference: '0', balanced: true });
      for (const rows of [
        metrics.byToken,
        metrics.bySide,
        metrics.byAgent,
        metrics.byDay,
        metrics.byWeek,
        metrics.byMonth,
      ])
        expect(rows.reduce((sum, { pnl }) => sum + Math.round(Number(pnl) * 1e6), 0)).toBe(
          Math.round(toNumber(metrics.netProfit) * 1e6),
        );
    },
  );

  it('[US3-5] agrees with quantstats and empyrical on the daily series', () => {
    const metrics = computeMetrics(run(bars, 1_000_000, false), { benchmark });
    const checks = reference.library_check_next_open_daily;
    const { quantstats = {}, 'empyrical-reloaded': empyrical = {} } = checks;
    const own = checks['own_sortino (downside = sqrt(mean(min(r,0)^2)))'] as unknown as number;
    const agree = (figure: number | null, ...others: (number | undefined)[]) => {
      for (const other of others) expect(figure).toBeCloseTo(other ?? Number.NaN, 10);
    };
    agree(metrics.sharpe, quantstats['sharpe(periods=365)'], empyrical['sharpe_ratio(annualization=365)']);
    agree(metrics.sortino, quantstats['sortino(periods=365)'], empyrical['sortino_ratio(annualization=365)'], own);
    agree(metrics.volatility, quantstats['volatility(periods=365)'], empyrical.annual_volatility);
    agree(metrics.cagr, quantstats['cagr(periods=365)'], empyrical['annual_return(annualization=365)']);
    agree(metrics.totalReturn, empyrical.cum_returns_final);
    agree(
      metrics.maxDrawdownDaily,
      quantstats['max_drawdown(returns)'],
      quantstats['max_drawdown(daily equity incl. start)'],
      empyrical.max_drawdown,
    );
    agree(metrics.winRateDays, quantstats['win_rate of days']);
    agree(metrics.profitFactorDays, quantstats['profit_factor of days']);
  });
});
